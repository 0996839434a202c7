"""An invitation in a real database: an entry, a link that signs in once, its mail."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.escalation.notifications.channels.parcel import ByMail
from services.escalation.sign_in_mail.letters import Letters
from services.intake.people.invitation_store import write_link
from services.intake.people.store import PeopleDesk
from services.intake.policy.store import Policies
from shared.domain.commands.person import (
    GrantRole,
    ImportPeople,
    InvitePerson,
    RemovePerson,
)
from shared.domain.events.person import PersonInvited
from shared.eventlog.log import EventLog
from shared.messaging.commands import CommandRequest
from shared.security.mail_requests import done, take
from shared.security.sender import seal_keys_of
from shared.security.sessions import Start
from shared.security.sign_in_links import Link, links, revoke_links, use_up
from tests.integration.intake.conftest import MASTER, NOW
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

INVITATION = InvitePerson(
    person="nadia",
    name="Nadia B.",
    email="nadia@desk.example",
    language="fr",
    role="agent",
    teams=("desk",),
)


@pytest.fixture
def people(ruled: Database) -> Iterator[PeopleDesk]:
    log = EventLog.open(ruled.dsn("desk_intake"), master=MASTER, clock=lambda: NOW)
    yield PeopleDesk(log, Policies(log), lambda: NOW)
    log.close()


@pytest.fixture
def escalation(ruled: Database) -> Iterator[EventLog]:
    log = EventLog.open(ruled.dsn("desk_escalation"), master=MASTER, clock=lambda: NOW)
    yield log
    log.close()


def command(people: PeopleDesk, body: Any, number: int = 1) -> Any:
    request = CommandRequest[Any](
        body=body,
        command_id=UUID(int=number),
        actor="person:root",
        scopes=("admin",),
    )
    return people.take(request)


def mailed(escalation: EventLog) -> list[ByMail]:
    """Return the mails that are due, as escalation composes them."""
    found: list[ByMail] = []
    with escalation.transaction() as cursor:
        while (request := take(cursor, NOW)) is not None:
            parcels = Letters(escalation, "https://desk.example").of(
                cursor, request, NOW
            )
            found += [each for each in parcels if isinstance(each, ByMail)]
            done(cursor, request.request_id)
    return found


def listed(owner: EventLog) -> list[Link]:
    with owner.transaction() as cursor:
        return list(links(cursor, "invitation"))


def used(owner: EventLog, mail: ByMail) -> Start | None:
    """Use the link of a mail up."""
    secret = re.search(r"/sign-in/link/(\S+)", mail.message.body)
    assert secret is not None
    with owner.transaction() as cursor:
        return use_up(cursor, seal_keys_of(owner), secret[1], NOW)


@pytest.fixture
def owner(ruled: Database) -> Iterator[EventLog]:
    log = EventLog.open(ruled.owner_dsn, master=MASTER, clock=lambda: NOW)
    yield log
    log.close()


def test_somebody_new_is_mailed_one_link_that_signs_them_in_once(
    people: PeopleDesk, escalation: EventLog, owner: EventLog
) -> None:
    first, again = (command(people, INVITATION) for _ in range(2))
    (link,) = listed(owner)
    (mail,) = mailed(escalation)

    assert (first.outcome, again.outcome) == ("recorded", "repeated")
    assert first.grants == ["nadia.1"]
    assert (link.actor, link.label) == ("person:nadia", "person:root")
    assert (mail.to.address, mail.message.subject) == (
        "nadia@desk.example",
        "Vous êtes invité au centre de services",
    )
    assert used(owner, mail) == Start("person:nadia", "invitation", label="person:root")
    assert used(owner, mail) is None


def test_a_new_invitation_replaces_the_one_before(
    people: PeopleDesk, escalation: EventLog, owner: EventLog
) -> None:
    command(people, INVITATION, 1)
    (old,) = mailed(escalation)
    command(people, INVITATION, 2)
    (new,) = mailed(escalation)

    assert used(owner, old) is None
    assert used(owner, new) is not None


@pytest.mark.parametrize("end", ["revoked", "removed"])
def test_what_ends_before_it_is_mailed_is_not_mailed(
    people: PeopleDesk, escalation: EventLog, owner: EventLog, end: str
) -> None:
    command(people, INVITATION)
    if end == "revoked":
        with owner.transaction() as cursor:
            assert revoke_links(
                cursor, NOW, ("invitation",), link_id=listed(owner)[0].link_id
            )
    else:
        answer = command(people, RemovePerson(person="nadia"), 2)
        assert (answer.tokens, answer.sessions, answer.links) == (0, 0, 1)

    assert mailed(escalation) == []


def test_an_entry_that_is_there_keeps_its_name_and_language(
    people: PeopleDesk, owner: EventLog
) -> None:
    text = "id,name,email,language\nnadia,Nadia Berger,NADIA@desk.example,en\n"
    command(people, ImportPeople(text=text), 1)
    command(people, GrantRole(person="nadia", role="auditor"), 2)
    command(people, INVITATION, 3)

    with owner.transaction() as cursor:
        row = cursor.execute("SELECT name, email, language FROM directory.people")
        assert row.fetchall() == [("Nadia Berger", "NADIA@desk.example", "en")]


class _Undone(Exception):
    """What a restore of an older copy does to what was recorded since."""


def test_a_link_that_a_restore_undid_is_not_the_link_of_the_next_invitation(
    owner: EventLog,
) -> None:
    week = NOW + timedelta(days=7)
    event = PersonInvited(at=NOW, by="person:root", person="nadia", until=week)
    made: list[str] = []
    for _ in range(2):
        with suppress(_Undone), owner.transaction() as cursor:
            write_link(cursor, seal_keys_of(owner), event)
            made.append(links(cursor, "invitation")[0].link_id)
            raise _Undone

    assert made[0] != made[1]


def test_a_link_at_an_address_that_was_wrong_ends_with_the_right_one(
    people: PeopleDesk, escalation: EventLog, owner: EventLog
) -> None:
    command(people, INVITATION)
    (mail,) = mailed(escalation)
    right = "id,name,email\nnadia,Nadia B.,nadia.b@desk.example\n"
    command(people, ImportPeople(text=right, format="csv"), 2)

    assert used(owner, mail) is None
