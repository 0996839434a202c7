"""For how long a service was down: by its P1s, in their hours, overlaps once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.escalation.rules.budget import Downtime, Outage, outages, together
from shared.domain import events
from shared.domain.policy.calendars import Calendar
from shared.domain.working_time import ALWAYS, hours_of
from shared.eventlog.entry import Entry
from tests.support.strategies.histories import opened

START = datetime(2025, 6, 2, 7, tzinfo=UTC)
INC = "INC-000001"
OFFICE = hours_of(
    Calendar.model_validate(
        {"timezone": "UTC", "weekly_hours": {"mon-fri": ["08:00-12:00", "14:00-18:00"]}}
    )
)
OPEN_HOURS = (*range(8, 12), *range(14, 18))
Happening = tuple[int, type[Any], dict[str, Any]]

OPENED: Happening = (0, events.IncidentOpened, {})
CLASS = {"service": "portal", "impact": "high", "urgency": "high"}
END = {"cycle": 1, "reason": "not_an_incident"}
AGAIN = {"cycle": 2, "cause": "user", "after_closure": False}


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def history(*happenings: Happening, priority: str = "p1") -> list[Entry]:
    found = []
    for version, (minutes, kind, words) in enumerate(happenings, 1):
        head = {"incident": INC, "policy": 1, "at": at(minutes), "by": "person:paul"}
        event = (
            opened(INC, priority=priority)
            if kind is events.IncidentOpened
            else kind(**head, **words)
        )
        stream = f"incident-{INC}"
        recorded_at = at(minutes)
        found.append(
            Entry(version, stream, version, event.type, recorded_at, None, event)
        )
    return found


@pytest.mark.parametrize(
    ("happenings", "spans"),
    [
        ((OPENED,), [(0, None)]),
        ((OPENED, (30, events.IncidentRestored, {})), [(0, 30)]),
        (
            (
                OPENED,
                (30, events.IncidentRestored, {}),
                (40, events.IncidentRelapsed, {"reason": "no"}),
                (50, events.IncidentRestored, {}),
                (90, events.IncidentReopened, AGAIN),
            ),
            [(0, 30), (40, 50), (90, None)],
        ),
        ((OPENED, (20, events.IncidentCancelled, END)), []),
        ((OPENED, (20, events.IncidentMerged, {"into": "INC-000002"})), [(0, 20)]),
        (
            (
                OPENED,
                (20, events.IncidentMerged, {"into": "INC-000002"}),
                (30, events.IncidentUnmerged, {"out_of": "INC-000002", "signals": {}}),
            ),
            [(0, 20), (30, None)],
        ),
        ((OPENED, (20, events.IncidentClassified, {**CLASS, "priority": "p2"})), []),
    ],
)
def test_it_is_down_from_recorded_to_restored(
    happenings: Sequence[Happening], spans: list[tuple[int, int | None]]
) -> None:
    assert list(outages(history(*happenings))) == [
        Outage(at(begins), None if ends is None else at(ends)) for begins, ends in spans
    ]


def test_what_is_a_p1_now_was_one_all_along_and_others_are_none() -> None:
    urgent = (20, events.IncidentClassified, {**CLASS, "priority": "p1"})

    assert list(outages(history(OPENED, urgent, priority="p3"))) == [Outage(at(0))]
    assert list(outages(history(OPENED, priority="p2"))) == []


def down(number: int, begins: int, ends: int | None, hours: Any = ALWAYS) -> Downtime:
    outage = Outage(at(begins), None if ends is None else at(ends))
    return Downtime(f"INC-{number:06d}", outage, hours)


def test_overlaps_count_once_and_only_in_the_hours() -> None:
    downs = [
        down(1, 0, 120, OFFICE),  # from 07:00 to 09:00: open from 08:00
        down(2, 90, 150, OFFICE),  # to 09:30
        down(3, 290, 430, OFFICE),  # from 11:50 to 14:10: closed at noon
        down(4, 600, None, OFFICE),  # from 17:00 until now
    ]

    counted = together(downs, at(0), at(630))

    assert counted == timedelta(minutes=90 + 10 + 10 + 30)
    assert together(downs, at(100), at(140)) == timedelta(minutes=40)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3_000),
            st.none() | st.integers(1, 900),
            st.sampled_from([ALWAYS, OFFICE]),
        ),
        max_size=6,
    ),
    st.integers(0, 2_000),
    st.integers(0, 2_000),
)
def test_it_is_as_many_minutes_as_some_p1_counts(
    drawn: list[tuple[int, int | None, Any]], since: int, length: int
) -> None:
    until = since + length
    downs, minutes = [], set()
    for number, (begins, lasts, hours) in enumerate(drawn):
        ends = None if lasts is None else begins + lasts
        downs.append(down(number, begins, ends, hours))
        for minute in range(max(begins, since), min(until, ends or until)):
            clock = at(minute)
            working = clock.weekday() < 5 and clock.hour in OPEN_HOURS
            if hours is ALWAYS or working:
                minutes.add(minute)

    assert together(downs, at(since), at(until)) == timedelta(minutes=len(minutes))
