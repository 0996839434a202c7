"""What holds for the working time of every calendar, whatever its zone and pauses."""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.policy.calendars import Calendar
from shared.working_time import (
    due,
    elapsed,
    hours_of,
    is_open,
    last_instant,
    next_opening,
)
from tests.support.any_hours import (
    calendars,
    passed,
    pauses_after,
    starts,
    working_seconds,
)

SECOND = timedelta(seconds=1)
data = st.data()
anywhen = st.datetimes(datetime(2010, 1, 1), datetime(2045, 1, 1))
promises = st.integers(0, 400 * 3600)


@given(calendars, starts, passed, data)
def test_what_elapses_is_every_working_second_counted(
    calendar: Calendar, start: datetime, after: int, data: st.DataObject
) -> None:
    pauses = data.draw(pauses_after(start))
    end = start + after * SECOND
    counted = bisect_left(working_seconds(calendar, start, pauses), after)
    assert elapsed(hours_of(calendar), start, end, pauses) == counted


@given(calendars, starts, data)
def test_a_promise_is_due_when_its_last_working_second_has_passed(
    calendar: Calendar, start: datetime, data: st.DataObject
) -> None:
    hours, pauses = hours_of(calendar), data.draw(pauses_after(start))
    seconds = working_seconds(calendar, start, pauses)
    promised = data.draw(st.integers(0, max(0, len(seconds) - 1)))
    if len(seconds) > promised:
        used_up = seconds[promised - 1] + 1 if promised else seconds[0]
        at, broken = (
            start + passed * SECOND for passed in (used_up, seconds[promised])
        )
        assert due(hours, start, promised, pauses) == at
        assert last_instant(hours, start, promised, pauses) == broken


@given(calendars, starts)
def test_it_is_open_in_every_working_second_and_in_no_other(
    calendar: Calendar, start: datetime
) -> None:
    hours = hours_of(calendar)
    seconds = working_seconds(calendar, start)
    assert is_open(hours, start) == (seconds[:1] == [0])
    if seconds:
        assert next_opening(hours, start) == start + seconds[0] * SECOND


@given(calendars, anywhen, promises, data)
def test_what_elapses_until_a_promise_is_due_is_the_promise(
    calendar: Calendar, start: datetime, promised: int, data: st.DataObject
) -> None:
    hours, start = hours_of(calendar), aware(start)
    pauses = data.draw(pauses_after(start))
    at = due(hours, start, promised, pauses)
    broken = last_instant(hours, start, promised, pauses)
    assert at <= broken
    assert elapsed(hours, start, at, pauses) == promised
    assert elapsed(hours, start, broken, pauses) == promised
    assert elapsed(hours, start, broken + SECOND, pauses) == promised + 1


@given(calendars, anywhen, promises, promises, data)
def test_who_is_promised_more_waits_no_less(
    calendar: Calendar, start: datetime, one: int, more: int, data: st.DataObject
) -> None:
    hours, start = hours_of(calendar), aware(start)
    pauses = data.draw(pauses_after(start))
    assert due(hours, start, one, pauses) <= due(hours, start, one + more, pauses)


@given(calendars, st.lists(anywhen, min_size=3, max_size=3).map(sorted), data)
def test_working_time_adds_up(
    calendar: Calendar, instants: list[datetime], data: st.DataObject
) -> None:
    hours = hours_of(calendar)
    start, middle, end = (aware(at) for at in instants)
    pauses = data.draw(pauses_after(middle))
    assert elapsed(hours, start, middle, pauses) + elapsed(
        hours, middle, end, pauses
    ) == elapsed(hours, start, end, pauses)


@given(calendars, starts, passed, passed, promises)
def test_a_pause_in_two_parts_is_the_same_pause(
    calendar: Calendar, start: datetime, first: int, second: int, promised: int
) -> None:
    hours = hours_of(calendar)
    cut, end = start + first * SECOND, start + (first + second) * SECOND
    whole, parts = [(start, end)], [(cut, end), (start, cut)]
    assert due(hours, start, promised, whole) == due(hours, start, promised, parts)
    later = end + timedelta(days=3)
    assert elapsed(hours, start, later, whole) == elapsed(hours, start, later, parts)


def aware(local: datetime) -> datetime:
    return local.replace(tzinfo=UTC)
