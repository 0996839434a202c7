"""Too many breaches of a service hand it over once, however the log is read."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from shared.domain.events.incident import IncidentClassified, IncidentRestored
from shared.eventlog.readers.position import Overtaken
from tests.support.builders.promises import FILE, local
from tests.support.desks.escalating import HelpingDesk, helping_desk
from tests.support.desks.watching import happened, opened
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

DAY = timedelta(days=1)
START = local("02 09:00")


@pytest.fixture
def desk(database: Database) -> Iterator[HelpingDesk]:
    with helping_desk(database, START) as desk:
        yield desk


def late(desk: HelpingDesk, number: int, at: datetime, service: str = "paie") -> None:
    """An incident of a service that breaks its promise: six working hours are over."""
    desk.sla.now = at
    desk.sla.happens(opened(number, at, service=service))
    desk.sla.walk(at + timedelta(hours=7))


def back(desk: HelpingDesk, number: int) -> None:
    desk.sla.happens(happened(IncidentRestored, number, desk.sla.now))
    desk.sla.walk(desk.sla.now)


def p1(
    desk: HelpingDesk, number: int, at: datetime, minutes: int, **words: object
) -> None:
    """A P1 that is restored after so many minutes, in time."""
    desk.sla.now = at
    urgent = {"priority": "p1", "urgency": "high"}
    desk.sla.happens(opened(number, at, **(urgent | words)))
    desk.sla.walk(at + timedelta(minutes=minutes))
    back(desk, number)


def numbers(said: list[dict[str, object]]) -> list[list[int]]:
    return [
        [int(each["incident"][-6:]) for each in event["counted"]]  # type: ignore[attr-defined] # of the event
        for event in said
        if event["type"] == "handover.service_requested"
    ]


def three(desk: HelpingDesk) -> None:
    for number, days in ((1, 0), (2, 8), (3, 21)):
        late(desk, number, START + days * DAY)


def test_the_third_breach_hands_the_service_over_with_the_list(
    desk: HelpingDesk,
) -> None:
    three(desk)
    desk.read()

    assert [numbers(desk.said(n)) for n in (1, 2, 3)] == [[], [], [[1, 2, 3]]]
    (request,) = desk.said(3)
    assert (request["service"], request["cause"]) == ("paie", "breaches")


@pytest.mark.parametrize("batch", [1, 2, 5, 200])
def test_a_memory_made_anew_says_nothing_twice(desk: HelpingDesk, batch: int) -> None:
    three(desk)
    desk.read(batch=batch)
    said = [desk.said(n) for n in (1, 2, 3)]
    breaches = "SELECT * FROM escalation.breaches ORDER BY position"
    counted = desk.sla.ask(breaches)

    desk.forget()
    desk.read(batch=3)

    assert [desk.said(n) for n in (1, 2, 3)] == said
    assert desk.sla.ask(breaches) == counted
    assert numbers(said[2]) == [[1, 2, 3]]


def test_of_two_that_read_the_same_one_is_too_late_and_it_is_said_once(
    desk: HelpingDesk,
) -> None:
    three(desk)
    first, second = desk.another(), desk.another()
    while (ahead := desk.ahead(4))[1]:
        desk.take(*ahead, first)
        with pytest.raises(Overtaken):
            desk.take(*ahead, second)
        first, second = second, first

    assert numbers(desk.said(3)) == [[1, 2, 3]]


def test_what_was_counted_is_not_counted_again(desk: HelpingDesk) -> None:
    three(desk)
    late(desk, 4, START + 22 * DAY)
    late(desk, 5, START + 23 * DAY)
    desk.read()
    assert [numbers(desk.said(n)) for n in (4, 5)] == [[], []]

    late(desk, 6, START + 24 * DAY)
    desk.read()

    assert numbers(desk.said(6)) == [[4, 5, 6]]


def test_other_services_and_older_breaches_do_not_count(desk: HelpingDesk) -> None:
    late(desk, 1, START)
    late(desk, 2, START + 1 * DAY, service="portail")
    late(desk, 3, START + 14 * DAY)
    late(desk, 4, START + 31 * DAY)
    desk.read()

    assert [desk.said(n) for n in (1, 2, 3, 4)] == [[], [], [], []]


def test_an_incident_counts_for_the_service_it_was_about_when_it_was_broken(
    desk: HelpingDesk,
) -> None:
    late(desk, 1, START)
    late(desk, 2, START + 8 * DAY)
    moved = happened(
        IncidentClassified,
        2,
        desk.sla.now,
        service="portail",
        impact="high",
        urgency="medium",
        priority="p2",
    )
    desk.sla.happens(moved)
    late(desk, 3, START + 9 * DAY)
    desk.read()

    assert numbers(desk.said(3)) == [[1, 2, 3]]


def test_a_budget_of_working_time_is_used_up_when_what_is_late_is_done(
    database: Database,
) -> None:
    text = FILE.read_text(encoding="utf-8")
    rule = "service: {breaches: 3, within_days: 30}"
    assert rule in text
    policy = text.replace(rule, "service: {overrun: 1h30m, within_days: 30}")
    with helping_desk(database, START, policy) as desk:
        late(desk, 1, START)
        back(desk, 1)
        late(desk, 2, START + 8 * DAY)
        desk.read()
        assert desk.said(2) == []
        back(desk, 2)
        desk.read()

        (request,) = desk.said(2)
        assert (request["cause"], request["overrun_seconds"]) == ("overrun", 7_200)
        assert numbers(desk.said(2)) == [[1, 2]]


@pytest.mark.parametrize("batch", [1, 200])
def test_a_budget_of_downtime_is_used_up_by_p1s_that_are_restored_in_time(
    database: Database, batch: int
) -> None:
    text = FILE.read_text(encoding="utf-8")
    rule = "service: {breaches: 3, within_days: 30}"
    policy = text.replace(rule, "service: {downtime: 1h30m, within_days: 30}")
    with helping_desk(database, START, policy) as desk:
        p1(desk, 1, START, 60)
        p1(desk, 2, START + timedelta(days=40), 45)  # the first is out of the window
        p1(desk, 3, START + timedelta(days=41), 40)
        p1(desk, 4, START + timedelta(days=42), 50, service="portail")
        desk.read(batch=batch)
        assert [desk.said(n) for n in (1, 2, 3, 4)] == [[], [], [], []]

        p1(desk, 5, START + timedelta(days=43), 6)
        p1(desk, 6, START + timedelta(days=44), 80)  # what was counted counts no more
        desk.read(batch=batch)
        said = [desk.said(n) for n in (5, 6)]
        (request,), _ = said
        assert (request["cause"], request["downtime_seconds"]) == ("downtime", 91 * 60)
        assert request["outages"] == ("INC-000002", "INC-000003", "INC-000005")
        assert (request["breaches"], _) == (0, [])

        desk.forget()
        desk.read(batch=3)
        assert [desk.said(n) for n in (5, 6)] == said
