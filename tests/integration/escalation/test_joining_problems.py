"""A late incident joins the open problem it is like, however the log is read."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.database.migrate import MIGRATIONS
from shared.domain import events
from shared.domain.identifiers import (
    handover_stream,
    incident_ref,
    problem_ref,
    problem_stream,
)
from tests.support.builders.promises import local
from tests.support.desks.escalating import HelpingDesk, helping_desk
from tests.support.desks.watching import happened, opened
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

DAY = timedelta(days=1)
START = local("02 09:00")
SLOW = {"title": "paie-7 is slow", "source": "zabbix"}
"""Of the same kind as any other of these, whatever its number."""


@pytest.fixture
def desk(database: Database) -> Iterator[HelpingDesk]:
    with helping_desk(database, START) as desk:
        yield desk


def happens(desk: HelpingDesk, number: int, kind: type[Any], problem: int = 1) -> None:
    """Let something happen to a problem that has to do with an incident."""
    words: dict[str, Any] = {"problem": problem_ref(problem)}
    if kind is events.ProblemIdentified:
        words |= {"title": "Slow", "service": "paie", "team": "problem"}
        words |= {"origin": "incident"}
    if kind is events.ProblemIncidentUnlinked:
        words |= {"relation": "problem"}
    event: events.AnyEvent = happened(kind, number, desk.sla.now, **words)
    owned = event.model_copy(update={"whose": event.by})
    stream, intake = problem_stream(problem_ref(problem)), desk.sla.intake
    intake.record(stream, intake.head_version(stream), [owned])


def late(desk: HelpingDesk, number: int, at: datetime, **words: Any) -> None:
    """An incident that breaks its promise: six working hours are over."""
    desk.sla.now = at
    desk.sla.happens(opened(number, at, **words))
    desk.sla.walk(at + timedelta(hours=7))


def joins(desk: HelpingDesk, number: int) -> list[tuple[str, str | None, bool]]:
    """Return which problems an incident joined, by what, and whether for sure."""
    return [
        (event["problem"], event["matched"], event["to_be_confirmed"])
        for event in desk.handed_over(number)
        if event["type"] == "handover.joined"
    ]


def proposed(desk: HelpingDesk, number: int) -> list[str]:
    (event,) = [
        event
        for event in desk.handed_over(number)
        if event["type"] == "handover.requested"
    ]
    return list(event["proposed"])


@pytest.mark.parametrize("batch", [1, 3, 200])
def test_by_signature_it_joins_at_once_by_service_to_be_confirmed(
    desk: HelpingDesk, batch: int
) -> None:
    late(desk, 1, START, **SLOW)
    happens(desk, 1, events.ProblemIdentified)
    late(desk, 2, START + DAY, **SLOW | {"title": "paie-12 is slow"})
    late(desk, 3, START + 2 * DAY, title="paie-3 is full", source="zabbix")
    late(desk, 4, START + 3 * DAY, service="portail", priority="p1")
    desk.read(batch=batch)

    assert [joins(desk, number) for number in (2, 3, 4)] == [
        [("PRB-000001", "signature", False)],
        [("PRB-000001", "service", True)],
        [],
    ]


def test_a_memory_made_anew_joins_nothing_twice(desk: HelpingDesk) -> None:
    late(desk, 1, START, **SLOW)
    happens(desk, 1, events.ProblemIdentified)
    late(desk, 2, START + DAY, **SLOW)
    desk.read()
    happens(desk, 2, events.ProblemIncidentLinked)
    happens(desk, 2, events.ProblemIncidentUnlinked)
    desk.read()
    said = desk.handed_over(2)

    desk.forget()
    desk.read(batch=2)

    assert desk.handed_over(2) == said
    assert [each["type"] for each in said] == [
        "handover.requested",
        "handover.joined",
        "handover.reopened",
    ]


@pytest.mark.parametrize("batch", [1, 3, 200])
def test_what_waits_is_proposed_to_a_problem_of_its_kind_that_opens_later(
    desk: HelpingDesk, batch: int
) -> None:
    late(desk, 1, START, **SLOW)
    late(desk, 2, START + DAY, **SLOW | {"title": "paie-12 is slow"})
    late(desk, 3, START + 2 * DAY, title="paie-3 is full", source="zabbix")
    late(desk, 4, START + 3 * DAY, **SLOW)
    happens(desk, 4, events.ProblemIdentified)
    happens(desk, 4, events.ProblemIncidentUnlinked)
    desk.sla.now += DAY
    desk.sla.happens(opened(5, desk.sla.now, **SLOW))  # in time, and of the same kind
    happens(desk, 5, events.ProblemIdentified, problem=2)
    happens(desk, 1, events.ProblemIncidentLinked, problem=2)
    desk.read(batch=batch)
    said = [desk.handed_over(number) for number in (1, 2, 3, 4)]

    assert [_proposals(each) for each in said] == [
        ["PRB-000001", "PRB-000002"],
        ["PRB-000001", "PRB-000002"],
        [],
        ["PRB-000002"],
    ]

    desk.forget()
    desk.read(batch=3)
    assert [desk.handed_over(number) for number in (1, 2, 3, 4)] == said


def test_what_is_linked_or_declined_is_not_asked_whether_it_waits(
    desk: HelpingDesk,
) -> None:
    for number in (1, 2, 3):
        late(desk, number, START + number * DAY, **SLOW)
    happens(desk, 1, events.ProblemIdentified)
    happens(desk, 1, events.ProblemResolved)
    who: dict[str, Any] = {"by": "person:helene", "whose": "person:helene"}
    about = {"incident": incident_ref(2), "reason": "Ours"}
    declined = events.HandoverDeclined(at=desk.sla.now, **who, **about)
    desk.read()
    stream = handover_stream(incident_ref(2))
    desk.log.record(stream, desk.log.head_version(stream), [declined])
    desk.read()

    waiting = "SELECT incident FROM escalation.waiting_handovers"
    assert desk.sla.ask(waiting) == [("INC-000003",)]

    desk.sla.tell("TRUNCATE escalation.waiting_handovers")
    desk.sla.tell(_what_waits_when_upgraded())
    assert desk.sla.ask(waiting) == [("INC-000003",)]
    happens(desk, 2, events.ProblemIncidentLinked)
    desk.read()
    assert _proposals(desk.handed_over(3)) == ["PRB-000001"]


def _what_waits_when_upgraded() -> str:
    text = (MIGRATIONS / "0132_waiting_handovers.sql").read_text(encoding="utf-8")
    return text[text.index("INSERT INTO") :]


def _proposals(said: list[dict[str, Any]]) -> list[str]:
    return [each["problem"] for each in said if each["type"] == "handover.proposed"]


def test_what_is_resolved_or_was_taken_out_is_like_nothing_any_more(
    desk: HelpingDesk,
) -> None:
    late(desk, 1, START, **SLOW)
    happens(desk, 1, events.ProblemIdentified)
    happens(desk, 1, events.ProblemIncidentUnlinked)
    late(desk, 2, START + DAY, **SLOW)
    desk.read()
    assert joins(desk, 2) == [("PRB-000001", "service", True)]

    happens(desk, 1, events.ProblemResolved)
    late(desk, 3, START + 2 * DAY, **SLOW)
    desk.read()
    assert joins(desk, 3) == []


def test_of_several_it_joins_none_unless_one_is_of_its_kind(desk: HelpingDesk) -> None:
    late(desk, 1, START, **SLOW)
    happens(desk, 1, events.ProblemIdentified)
    late(desk, 2, START + DAY, title="paie-3 is full", source="zabbix")
    happens(desk, 2, events.ProblemIdentified, problem=2)
    late(desk, 3, START + 2 * DAY, title="paie is down")
    late(desk, 4, START + 3 * DAY, title="paie-9 is full", source="zabbix")
    desk.read()

    assert joins(desk, 3) == []
    assert proposed(desk, 3) == ["PRB-000001", "PRB-000002"]
    assert joins(desk, 4) == [("PRB-000002", "signature", False)]
