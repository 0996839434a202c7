"""A caller whom the directory does not have is entered with their contact."""

from collections.abc import Iterator
from threading import Barrier, Thread
from typing import Any, cast
from uuid import UUID

import pytest

from services.intake.commands.pending_command import PendingCommand
from services.intake.directory.store import import_people
from services.intake.inbound_mail.context import senders_of
from services.intake.people.store import PeopleDesk
from services.intake.policy.store import Policies
from services.projections.identity_provider.store import ProviderSignIn, start_of
from shared.directory import DirectoryEntry, search
from shared.domain.commands.caller import NewCaller
from shared.domain.commands.incident import Attach, Open
from shared.domain.commands.person import CorrectPerson, GrantRole
from shared.domain.events.incident import IncidentContacted, IncidentOpened
from shared.domain.limits import Limits
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandAnswer, CommandMessage, CommandRequest
from shared.security.access import Caller
from shared.security.command_limits import CommandLimits
from shared.security.rights import Grant
from shared.security.sender import COMMANDERS
from tests.integration.intake.conftest import MASTER, NOW, Hands, hands_on
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

ZOE = NewCaller(name="Zoé Martin", phone="04 75 20 00 09", email="Zoe@new.example")
OURS = {"agent": (Limits(clients=frozenset(["ours"])),)}


def report(caller: NewCaller = ZOE, **more: Any) -> Open:
    return Open(title="No mail", caller=caller, channel="phone", **more)


def sent(hands: Hands, body: Open | Attach, **more: Any) -> Any:
    given = {"actor": "person:odette", "scopes": ("agent",), **more}
    request = CommandRequest[Any](body=body, **given)
    (answer,) = hands.commands.flush([PendingCommand.of(request)])
    return answer


def named(hands: Hands, **by: Any) -> list[DirectoryEntry]:
    asked = {"q": None, "email": None, "phone": None, **by}
    with hands.log.transaction() as cursor:
        return search(cursor, **asked)


@pytest.fixture
def people(ruled: Database) -> Iterator[PeopleDesk]:
    log = EventLog.open(ruled.dsn("desk_intake"), master=MASTER, clock=lambda: NOW)
    yield PeopleDesk(log, Policies(log), lambda: NOW)
    log.close()


def corrected(people: PeopleDesk, person: str, /, **more: Any) -> Any:
    given = {"actor": "person:odette", "scopes": ("agent",)}
    given |= {name: more.pop(name) for name in ("scopes", "limits") if name in more}
    body = CorrectPerson(person=person, **more)
    return people.take(CommandRequest[Any](body=body, **given))


def test_a_new_caller_gets_an_unconfirmed_entry_and_is_the_reporter(
    hands: Hands, owner: EventLog
) -> None:
    answer = sent(hands, report(ZOE.model_copy(update={"client": "ours"})))

    (entry,) = named(hands, phone="+33 4.75.20.00.09")
    assert isinstance(answer, CommandAnswer)
    assert entry.id.startswith("call-")
    assert (entry.name, entry.client, entry.confirmed) == ("Zoé Martin", "ours", False)
    written = [e.event for e in owner.since(answer.positions[0] - 1, 10)]
    opened = next(e for e in written if isinstance(e, IncidentOpened))
    assert (opened.reporter, opened.client, opened.whose) == (
        entry.id,
        "ours",
        f"person:{entry.id}",
    )
    assert "Zoé" not in str(written)  # of the person the log only has the id


def test_a_repeat_makes_one_person_and_one_incident(hands: Hands) -> None:
    first, again = (sent(hands, report(), command_id=UUID(int=7)) for _ in "ab")
    other = sent(hands, report(NewCaller(name="Eve")), command_id=UUID(int=7))

    assert (first.outcome, again.outcome) == ("recorded", "repeated")
    assert first.incident == again.incident
    assert other.details.code == "idempotency_key"
    assert len(named(hands, phone=ZOE.phone)) == 1
    assert named(hands, q="Eve") == []


def test_what_is_refused_enters_nobody(hands: Hands) -> None:
    for body in (
        Attach(caller=ZOE, channel="phone"),
        report(service="nowhere"),
        report(ZOE.model_copy(update={"client": "nobodys"})),
    ):
        more = {"incident": "INC-999999"} if isinstance(body, Attach) else {}
        assert isinstance(sent(hands, body, **more), HttpError)

    assert named(hands, phone=ZOE.phone) == []


def test_a_new_caller_is_attached_to_what_is_open(
    hands: Hands, owner: EventLog
) -> None:
    ref = sent(hands, Open(title="No mail")).incident
    answer = sent(hands, Attach(caller=ZOE, channel="phone"), incident=ref)

    (entry,) = named(hands, phone=ZOE.phone)
    happened, *_ = [e.event for e in owner.since(answer.positions[0] - 1, 10)]
    assert isinstance(happened, IncidentContacted)
    assert happened.person == entry.id


def test_an_address_is_that_of_the_one_who_has_it(hands: Hands) -> None:
    with hands.log.transaction() as cursor:
        known = {"id": "zoe", "name": "Zoé", "email": "zoe@NEW.example"}
        import_people(cursor, [{**known, "client": "theirs"}], NOW)

    seen = sent(hands, report())
    # Whose limits hide the client of the other one learns nothing of them.
    unseen = sent(hands, report(), limits=OURS)

    assert seen.details.code == "caller_known"
    assert seen.details.status == 409
    assert "zoe" in seen.details.detail
    assert isinstance(unseen, CommandAnswer)
    mine = [each for each in named(hands, email=ZOE.email) if not each.confirmed]
    assert [each.client for each in mine] == ["ours"]  # the only client of the limits
    with hands.log.transaction() as cursor:  # what they write is still zoe's
        found = senders_of(cursor, "zoe@new.example")
    assert found is not None
    assert found.ids[0] == "zoe"


def test_two_contacts_at_once_enter_one_address_once(ruled: Database) -> None:
    workers, answers, start = [hands_on(ruled) for _ in "ab"], [], Barrier(2)

    def call(hands: Hands) -> None:
        start.wait()
        answers.append(sent(hands, report()))

    threads = [Thread(target=call, args=(each,)) for each in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    entered = named(workers[0], email=ZOE.email)
    assert len(entered) == 1
    assert sum(isinstance(each, CommandAnswer) for each in answers) == 1


def test_an_entry_is_corrected_and_confirmed_with_its_address(
    hands: Hands, people: PeopleDesk
) -> None:
    sent(hands, report())
    (before,) = named(hands, phone=ZOE.phone)

    done = corrected(people, before.id, name="Zoé Martín", phone=None, client="ours")
    with pytest.raises(HttpError) as no:  # only an administrator from now on
        corrected(people, before.id, name="Eve")
    again = corrected(people, before.id, name="Zoé Martín", scopes=("admin",))

    (after,) = named(hands, email=ZOE.email)
    assert (done.outcome, done.person) == ("recorded", before.id)
    assert no.value.details.code == "role"
    assert again.outcome == "already"
    assert (after.name, after.phone, after.client) == ("Zoé Martín", None, "ours")
    assert after.confirmed


def test_somebody_with_a_role_is_corrected_by_an_administrator(
    hands: Hands, people: PeopleDesk
) -> None:
    sent(hands, report())
    (entry,) = named(hands, phone=ZOE.phone)
    grant = GrantRole(person=entry.id, role="agent")
    admin = {"actor": "person:root", "scopes": ("admin",)}
    people.take(CommandRequest[Any](body=grant, **admin))

    with pytest.raises(HttpError) as no:
        corrected(people, entry.id, email="eve@evil.example")
    done = corrected(people, entry.id, email="z@new.example", scopes=("admin",))

    assert no.value.details.code == "role"
    assert done.outcome == "recorded"


@pytest.mark.parametrize(
    ("body", "client"),
    [
        (report(), "ours"),
        (report(ZOE.model_copy(update={"client": "ours"})), "ours"),
        (report(ZOE.model_copy(update={"client": "theirs"})), None),
        (report(client="theirs"), None),
    ],
)
def test_whose_rights_name_a_client_enters_only_people_of_it(
    hands: Hands, body: Open, client: str | None
) -> None:
    caller = Caller(
        "person:odette", tuple(Grant("", "agent", each) for each in OURS["agent"]), "t"
    )
    message = CommandMessage[Any](body=body)
    limits = CommandLimits(hands.log)

    if client is None:
        with pytest.raises(HttpError) as no:
            limits.narrowed(caller, message, COMMANDERS)
        assert no.value.details.code == "limits"
    else:
        assert limits.narrowed(caller, message, COMMANDERS).scopes == ("agent",)


def test_whose_rights_are_limited_corrects_without_confirming(
    hands: Hands, people: PeopleDesk
) -> None:
    sent(hands, report(), limits=OURS)
    sent(hands, report(NewCaller(name="Eve", phone="0475200001")))
    (mine,), (eve,) = (named(hands, phone=each) for each in (ZOE.phone, "0475200001"))

    for person, more in ((eve.id, {}), (mine.id, {"client": "theirs"})):
        with pytest.raises(HttpError):
            corrected(people, person, limits=OURS, name="Eve", **more)
    corrected(people, mine.id, limits=OURS, name="Zoé M.")

    (after,) = named(hands, phone=ZOE.phone)
    assert (after.name, after.confirmed) == ("Zoé M.", False)


def test_a_hidden_caller_is_not_confirmed_with_the_address_of_a_colleague(
    hands: Hands, people: PeopleDesk
) -> None:
    shared = "odile@ours.example"
    sent(hands, report(ZOE.model_copy(update={"email": shared})), limits=OURS)
    (mine,) = named(hands, phone=ZOE.phone)
    with hands.log.transaction() as cursor:
        cursor.execute(
            "INSERT INTO directory.people (id, name, email, updated_at, confirmed) "
            "VALUES ('odile', 'Odile', %s, now(), true)",
            (shared,),
        )

    with pytest.raises(HttpError) as no:  # else Odile could not sign in by it
        corrected(people, mine.id, name="Zoé M.")
    cleared = corrected(people, mine.id, email=None)

    assert no.value.details.code == "address_taken"
    assert cleared.outcome == "recorded"


def test_what_a_new_caller_writes_or_signs_in_with_is_theirs(hands: Hands) -> None:
    sent(hands, report())
    (entry,) = named(hands, email=ZOE.email)
    provider = ProviderSignIn(cast(Any, None), "", "email", "groups", {})
    claims = {"email": "ZOE@new.example", "email_verified": True}

    with hands.log.transaction() as cursor:
        written = senders_of(cursor, "zoe@new.example")
        signed_in = start_of(cursor, hands.log.vault, provider, claims)
        import_people(
            cursor, [{"id": "zoe", "name": "Zoé", "email": "zoe@new.example"}], NOW
        )
        by_ldap = start_of(cursor, hands.log.vault, provider, claims)

    assert written is not None
    assert written.ids == (entry.id,)
    assert signed_in is not None
    assert signed_in.actor == f"person:{entry.id}"
    assert by_ldap is not None
    assert by_ldap.actor == "person:zoe"  # whom somebody confirmed comes first
