"""People in a real log: rights in its tables, imports whole, removals at once."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from services.intake.directory.store import known_people
from services.intake.people.store import PeopleDesk
from services.intake.policy.store import Policies
from shared.domain.commands.person import (
    GrantRole,
    ImportPeople,
    PeopleImported,
    PersonAnswer,
    PersonRemovedAnswer,
    RemovePerson,
    WithdrawRole,
)
from shared.domain.identifiers import person_stream
from shared.domain.limits import Limits
from shared.eventlog.append import GROUP_EVENTS_MAX
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest
from shared.security.access import Access, create
from shared.security.rights import grants_of
from tests.integration.intake.conftest import MASTER, NOW
from tests.support.faults.later_version import write_unknown
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

TEAMS = ("desk", "support", "desk support")
VIEW = """
INSERT INTO desk.views (view_id, owner, audience, name, queue, filter, columns,
                        created_at, updated_at)
VALUES (%s, 'nadia', %s, %s, 'all', '', '{}', now(), now())
"""
FORTY = "id,name,email,client,role,teams,services\n" + "".join(
    f"p{n},Person {n},p{n}@desk.example,,agent,{TEAMS[n % 3]},\n" for n in range(40)
)


@pytest.fixture
def people(ruled: Database) -> Iterator[PeopleDesk]:
    log = EventLog.open(ruled.dsn("desk_intake"), master=MASTER, clock=lambda: NOW)
    yield PeopleDesk(log, Policies(log), lambda: NOW)
    log.close()


def take(people: PeopleDesk, body: Any, number: int | None = None, **more: Any) -> Any:
    command_id = None if number is None else UUID(int=number)
    given = {"actor": "person:root", "scopes": ("admin",), **more}
    return people.take(CommandRequest[Any](body=body, command_id=command_id, **given))


def imported(people: PeopleDesk, text: str, **more: Any) -> PeopleImported:
    answer = take(people, ImportPeople(text=text, **more))
    assert isinstance(answer, PeopleImported)
    return answer


def counts(done: PeopleImported) -> tuple[int, int, int, int]:
    return (done.added, done.changed, done.unchanged, done.removed)


def rights(owner: EventLog, person: str) -> list[tuple[str, Limits]]:
    with owner.transaction() as cursor:
        return [(each.role, each.limits) for each in grants_of(cursor, person, NOW)]


def test_forty_people_and_their_teams_come_from_one_file(
    people: PeopleDesk, owner: EventLog
) -> None:
    seen = imported(people, FORTY, preview=True)
    before = owner.head().position
    done = imported(people, FORTY)
    again = imported(people, FORTY)

    assert counts(seen) == counts(done) == (40, 0, 0, 0)
    assert [each.person for each in seen.items] == sorted(f"p{n}" for n in range(40))
    assert len(done.positions) == 120, "a role, an address, and that there is no number"
    assert done.positions[0] == before + 1
    assert counts(again) == (0, 0, 40, 0)
    assert rights(owner, "p2") == [
        ("agent", Limits(teams=frozenset(["desk", "support"])))
    ]


def test_an_import_moves_people_and_leaves_what_was_given_by_hand(
    people: PeopleDesk, owner: EventLog
) -> None:
    imported(people, FORTY)
    take(people, GrantRole(person="p0", role="auditor"))
    done = imported(people, "id,name,role,teams\np0,Person Zero,agent,support\n")

    (change,) = done.items
    assert (change.change, change.columns) == ("changed", ("name",))
    assert [each.teams for each in change.given] == [("support",)]
    assert [each.teams for each in change.withdrawn] == [("desk",)]
    assert [role for role, _ in rights(owner, "p0")] == ["auditor", "agent"]


def test_an_import_is_what_its_preview_showed_or_nothing(
    people: PeopleDesk, owner: EventLog
) -> None:
    seen = imported(people, FORTY, preview=True)
    imported(people, "id,name\np0,Somebody else\n")

    with pytest.raises(HttpError, match="since the preview") as no:
        imported(people, FORTY, expected=seen.digest)
    assert no.value.details.status == 409
    assert rights(owner, "p1") == []

    again = imported(people, FORTY, preview=True)
    assert counts(imported(people, FORTY, expected=again.digest)) == (39, 1, 0, 0)


def test_a_file_with_a_mistake_changes_nothing(
    people: PeopleDesk, owner: EventLog
) -> None:
    head = owner.head().position
    wrong = [
        ("id,name,role\na,A,king\n", 422, "there is no role `king`"),
        ("id,name,role,teams\na,A,agent,nowhere\nb,B,agent,desk\n", 422, "nowhere"),
        ("id,name,teams\na,A,desk\n", 422, "name the `role`"),
        ("id,name,role\na,A,client\n", 422, "`client`"),
        ("id,name,role\nroot,R,agent\n", 403, "your own rights"),
    ]
    for text, status, because in wrong:
        with pytest.raises(HttpError, match=because) as no:
            imported(people, text)
        assert no.value.details.status == status, because

    assert owner.head().position == head
    with owner.transaction() as cursor:
        assert cursor.execute("SELECT count(*) FROM directory.people").fetchone() == (
            0,
        )


def test_unknown_names_are_told_with_their_rows_and_all_other_mistakes(
    people: PeopleDesk,
) -> None:
    text = "id,name,role,teams\na,A,king,desk\nb,B,agent,nowhere\nc,C,agent,desk\n"

    with pytest.raises(HttpError) as no:
        imported(people, text)
    told = [each["msg"].partition(":")[0] for each in no.value.details.errors or ()]
    assert told == ["row 2", "row 3"]


@pytest.mark.parametrize("preview", [True, False])
def test_a_file_that_changes_too_many_rights_changes_nobody(
    people: PeopleDesk, owner: EventLog, *, preview: bool
) -> None:
    rows = (f"p{n},Person {n},agent" for n in range(GROUP_EVENTS_MAX + 1))

    with pytest.raises(HttpError, match="import it in parts"):
        imported(people, "\n".join(("id,name,role", *rows)), preview=preview)

    with owner.transaction() as cursor:
        assert known_people(cursor, ["p0", "p1"]) == frozenset()


def test_a_synchronisation_stops_that_would_remove_more_than_a_tenth(
    people: PeopleDesk, owner: EventLog
) -> None:
    lines = FORTY.splitlines(keepends=True)
    root = "root,Root,,,,,\n"
    imported(people, lines[0] + root)
    imported(people, FORTY)
    too_few = "".join([lines[0], root, *lines[6:]])
    enough = "".join([lines[0], root, *lines[5:]])

    with pytest.raises(HttpError, match="5 of 41 people") as no:
        imported(people, too_few, remove_missing=True)
    with pytest.raises(HttpError, match="nobody removes themselves"):
        imported(people, FORTY, remove_missing=True)
    done = imported(people, enough, remove_missing=True)

    assert no.value.details.status == 409
    assert counts(done) == (0, 0, 37, 4)
    assert rights(owner, "p0") == []
    assert counts(imported(people, enough, remove_missing=True)) == (0, 0, 37, 0)


def test_a_repeat_with_the_same_key_gives_a_role_once(
    people: PeopleDesk, owner: EventLog
) -> None:
    imported(people, "id,name\nnadia,Nadia\n")
    body = GrantRole(person="nadia", role="agent", teams=("desk",), reason="New here")

    first, second = take(people, body, 1), take(people, body, 1)
    already = take(people, body, 2)

    assert isinstance(first, PersonAnswer)
    assert (first.outcome, second.outcome) == ("recorded", "repeated")
    assert first.positions == second.positions
    assert already.outcome == "already"
    addresses = 2  # that she has neither is recorded first
    assert owner.head_version(person_stream("nadia")) == addresses + 1
    with pytest.raises(HttpError, match="Idempotency-Key"):
        take(people, GrantRole(person="nadia", role="admin"), 1)


def test_an_outdated_version_is_refused_and_a_refusal_is_journalled(
    people: PeopleDesk, owner: EventLog
) -> None:
    imported(people, "id,name\nnadia,Nadia\n")
    grant = GrantRole(person="nadia", role="agent")

    with pytest.raises(HttpError) as moved:
        take(people, grant, if_match=9)
    with pytest.raises(HttpError) as no:
        take(people, grant, scopes=("manager",))

    assert (moved.value.details.status, no.value.details.status) == (412, 403)
    with owner.transaction() as cursor:
        row = cursor.execute("SELECT actor, verb, incident FROM intake.refusals")
        assert row.fetchall() == [("person:root", "person.grant", "nadia")]


def test_a_removal_ends_roles_tokens_and_private_views_at_once(
    people: PeopleDesk, owner: EventLog
) -> None:
    imported(people, "id,name\nnadia,Nadia\npaul,Paul\n")
    take(people, GrantRole(person="nadia", role="agent"))
    with owner.transaction() as cursor:
        tokens = [
            create(cursor, NOW, f"person:{who}", ["agent"]).token
            for who in ("nadia", "nadia", "paul")
        ]
        for n, audience in enumerate(("private", "everybody")):
            cursor.execute(VIEW, (f"view-of-nadia-{n}", audience, audience))
    done = take(people, RemovePerson(person="nadia", reason="She left"))

    assert isinstance(done, PersonRemovedAnswer)
    assert (done.outcome, done.tokens, done.sessions) == ("recorded", 2, 0)
    assert rights(owner, "nadia") == []
    access = Access(owner, lambda: NOW)
    assert [access.verify(token) is not None for token in tokens] == [
        False,
        False,
        True,
    ]
    with owner.transaction() as cursor:
        views = cursor.execute("SELECT owner, audience FROM desk.views").fetchall()
    assert views == [(None, "everybody")]
    back = take(people, GrantRole(person="nadia", role="agent"))
    take(people, WithdrawRole(person="nadia", grant=back.grants[0]))
    assert rights(owner, "nadia") == []


def test_a_person_whose_events_cannot_be_read_stops_no_import_and_can_be_removed(
    people: PeopleDesk, owner: EventLog
) -> None:
    imported(people, "id,name,role\nnadia,Nadia,agent\npaul,Paul,agent\n")
    write_unknown(owner, person_stream("nadia"))

    done = imported(people, "id,name,role\nnadia,Nadia B.,auditor\npaul,Paul,auditor\n")
    with pytest.raises(HttpError, match="cannot be read") as no:
        take(people, GrantRole(person="nadia", role="agent"))
    before = rights(owner, "nadia"), rights(owner, "paul")
    take(people, RemovePerson(person="nadia"))

    assert (done.changed, done.unreadable) == (2, ["nadia"])
    assert no.value.details.status == 409
    assert [[role for role, _ in each] for each in before] == [["agent"], ["auditor"]]
    assert rights(owner, "nadia") == []
