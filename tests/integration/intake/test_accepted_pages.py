"""Who accepted an incident by a page has it, whatever dies meanwhile: on a real log."""

import asyncio
from typing import Any, Literal

import pytest

from services.intake.accepted_pages.subscriber import PATIENCE
from shared.domain.commands.incident import Acknowledge, Assign, Reopen, Resolve
from shared.domain.events import Escalated, EscalationAccepted
from shared.domain.identifiers import escalation_stream, incident_stream
from shared.eventlog.log import EventLog
from tests.integration.intake.commands.test_commands import INC, done
from tests.integration.intake.conftest import NOW, Hands, hands_on
from tests.integration.intake.signals.test_receiving import DISK, receive
from tests.integration.intake.test_auto_close import Watch, at_work, tracked
from tests.support.builders.people_log import record, removed
from tests.support.patience import eventually
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


def _accepted(
    owner: EventLog, via: Literal["link", "mail", "call"] | None, person: str = "bruno"
) -> None:
    event = EscalationAccepted(
        at=NOW,
        by=f"person:{person}",
        incident=INC,
        policy=1,
        cycle=1,
        level="n2",
        person=person,
        how="accepted",
        via=via,
    )
    owner.record(escalation_stream(INC), 0, [event])


def _escalated() -> Escalated:
    return Escalated(
        at=NOW,
        by="person:nadia",
        incident=INC,
        policy=1,
        cycle=1,
        from_level="n2",
        to_level="n3",
        team="editor",
        cause="by_hand",
        escalated_at=NOW,
    )


def _acknowledged_by(hands: Hands) -> list[str]:
    history = hands.log.history(incident_stream(INC))
    return [e.event.by for e in history if e.type == "incident.acknowledged"]


def _waiting(log: EventLog) -> list[Any]:
    with log.transaction() as cursor:
        query = "SELECT person, due_at FROM intake.accepted_pages"
        return cursor.execute(query).fetchall()


@pytest.mark.parametrize("via", ["link", "mail", "call"])
def test_an_incident_that_was_accepted_by_a_page_is_acknowledged_after_a_while(
    ruled: Database, owner: EventLog, via: Literal["link", "mail", "call"]
) -> None:
    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=8), Watch()
        receive(hands, DISK)
        _accepted(owner, via)
        async with at_work(hands, watch, processes=2):
            await eventually(lambda: _waiting(hands.log) == [("bruno", NOW + PATIENCE)])
            assert _acknowledged_by(hands) == []
            watch.now = NOW + PATIENCE
            await eventually(lambda: _waiting(hands.log) == [])
        assert _acknowledged_by(hands) == ["person:bruno"]

    asyncio.run(story())


def _then(hands: Hands, owner: EventLog, what: str) -> None:
    match what:
        case "acknowledged":
            done(hands, Acknowledge(), actor="person:nadia")
        case "reopened":
            done(hands, Resolve(force=True, reason="unplugged"))
            done(hands, Reopen(reason="it is back"))
        case "removed":
            record(owner, "bruno", removed("bruno"))
        case "escalated":
            owner.record(escalation_stream(INC), 1, [_escalated()])
        case "assigned":
            done(hands, Assign(team="desk", assignee="nadia"))
        case _:
            pass


@pytest.mark.parametrize(
    ("via", "meanwhile"),
    [
        (None, "nothing"),
        ("call", "acknowledged"),
        ("call", "reopened"),
        ("call", "removed"),
        ("call", "escalated"),
        ("call", "assigned"),
    ],
)
def test_nobody_acknowledges_what_they_did_not_accept_or_a_colleague_has(
    ruled: Database, owner: EventLog, via: Literal["call"] | None, meanwhile: str
) -> None:
    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=8), Watch()
        receive(hands, DISK)
        _accepted(owner, via)
        _then(hands, owner, meanwhile)
        watch.now = NOW + PATIENCE
        async with at_work(hands, watch):
            head = hands.log.head().position
            await eventually(lambda: tracked(hands.log) >= head)
            await eventually(lambda: _waiting(hands.log) == [])
        assert "person:bruno" not in _acknowledged_by(hands)

    asyncio.run(story())
