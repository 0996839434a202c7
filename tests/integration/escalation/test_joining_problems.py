"""A late incident joins the open problem it is like, however the log is read."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain import events
from shared.domain.identifiers import problem_ref, problem_stream
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
