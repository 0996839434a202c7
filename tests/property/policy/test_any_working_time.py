"""What holds for the working time of every calendar, whatever its zone and pauses.

Zones and instants are drawn together, where the clocks of that zone jump: by half an
hour, at midnight, in winter, by a whole day.
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.policy.calendars import Calendar
from shared.domain.working_time import (
    due,
    elapsed,
    hours_of,
    is_open,
    last_instant,
    next_opening,
)
from tests.support.examples import examples
from tests.support.strategies.calendars import (
    Situation,
    calendars,
    in_parts,
    passed,
    pauses_after,
    situations,
    working_seconds,
)

SECOND = timedelta(seconds=1)
HOUR = 3_600
data = st.data()
anywhen = st.datetimes(datetime(2010, 1, 1), datetime(2045, 1, 1))
promises = st.integers(0, 400 * 3600)
slowly = examples(300)
many = examples(500)


@slowly
@given(situations(), passed, data)
def test_what_elapses_is_every_working_second_counted(
    situation: Situation, after: int, data: st.DataObject
) -> None:
    calendar, start = situation
    pauses = data.draw(pauses_after(start))
    end = start + after * SECOND
    counted = bisect_left(working_seconds(calendar, start, pauses), after)
    assert elapsed(hours_of(calendar), start, end, pauses) == counted


@slowly
@given(situations(), data)
def test_a_promise_is_due_when_its_last_working_second_has_passed(
    situation: Situation, data: st.DataObject
) -> None:
    calendar, start = situation
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


@slowly
@given(situations())
def test_it_is_open_in_every_working_second_and_in_no_other(
    situation: Situation,
) -> None:
    calendar, start = situation
    hours = hours_of(calendar)
    seconds = working_seconds(calendar, start)
    assert is_open(hours, start) == (seconds[:1] == [0])
    if seconds:
        assert next_opening(hours, start) == start + seconds[0] * SECOND


@many
@given(situations(), promises, data)
def test_what_elapses_until_a_promise_is_due_is_the_promise(
    situation: Situation, promised: int, data: st.DataObject
) -> None:
    calendar, start = situation
    hours, pauses = hours_of(calendar), data.draw(pauses_after(start))
    at = due(hours, start, promised, pauses)
    broken = last_instant(hours, start, promised, pauses)
    assert at <= broken
    assert elapsed(hours, start, at, pauses) == promised
    assert elapsed(hours, start, broken, pauses) == promised
    assert elapsed(hours, start, broken + SECOND, pauses) == promised + 1


@many
@given(situations(), promises, promises, data)
def test_who_is_promised_more_or_paused_longer_waits_no_less(
    situation: Situation, one: int, more: int, data: st.DataObject
) -> None:
    calendar, start = situation
    hours, pauses = hours_of(calendar), data.draw(pauses_after(start))
    others = data.draw(pauses_after(start))
    at = due(hours, start, one, pauses)
    assert at <= due(hours, start, one + more, pauses)
    assert at <= due(hours, start, one, (*pauses, *others))
    assert elapsed(hours, start, at, (*pauses, *others)) <= one


@many
@given(situations(), passed, passed, data)
def test_working_time_adds_up(
    situation: Situation, first: int, second: int, data: st.DataObject
) -> None:
    calendar, start = situation
    hours, pauses = hours_of(calendar), data.draw(pauses_after(start))
    middle = start + first * SECOND
    end = middle + second * SECOND
    assert elapsed(hours, start, middle, pauses) + elapsed(
        hours, middle, end, pauses
    ) == elapsed(hours, start, end, pauses)


@given(calendars, st.lists(anywhen, min_size=3, max_size=3).map(sorted), data)
def test_it_adds_up_over_years(
    calendar: Calendar, instants: list[datetime], data: st.DataObject
) -> None:
    hours = hours_of(calendar)
    start, middle, end = (at.replace(tzinfo=UTC) for at in instants)
    pauses = data.draw(pauses_after(middle))
    assert elapsed(hours, start, middle, pauses) + elapsed(
        hours, middle, end, pauses
    ) == elapsed(hours, start, end, pauses)


@many
@given(situations(), passed, passed, promises)
def test_a_pause_in_two_parts_is_the_same_pause(
    situation: Situation, first: int, second: int, promised: int
) -> None:
    calendar, start = situation
    hours = hours_of(calendar)
    cut, end = start + first * SECOND, start + (first + second) * SECOND
    whole, parts = [(start, end)], [(cut, end), (start, cut)]
    assert due(hours, start, promised, whole) == due(hours, start, promised, parts)
    later = end + timedelta(days=3)
    assert elapsed(hours, start, later, whole) == elapsed(hours, start, later, parts)


@many
@given(situations(), passed, promises, data)
def test_a_window_in_two_parts_is_the_same_window(
    situation: Situation, after: int, promised: int, data: st.DataObject
) -> None:
    calendar, start = situation
    parts = data.draw(in_parts(calendar))
    hours, same = hours_of(calendar), hours_of(parts)
    end = start + after * SECOND
    assert elapsed(hours, start, end) == elapsed(same, start, end)
    assert due(hours, start, promised) == due(same, start, promised)


@many
@given(situations(), passed, promises, data)
def test_a_pause_while_it_is_closed_changes_nothing(
    situation: Situation, after: int, promised: int, data: st.DataObject
) -> None:
    calendar, start = situation
    hours, pauses = hours_of(calendar), data.draw(pauses_after(start))
    begins = start + after * SECOND
    closed = (begins, next_opening(hours, begins))
    end = closed[1] + timedelta(days=2)
    both = (*pauses, closed)
    assert elapsed(hours, start, end, pauses) == elapsed(hours, start, end, both)
    if promised:
        assert due(hours, start, promised, pauses) == due(hours, start, promised, both)


@many
@given(situations())
def test_an_extra_opening_is_open_whatever_closes_that_day(
    situation: Situation,
) -> None:
    calendar, start = situation
    day = start.astimezone(ZoneInfo(calendar.timezone)).date().isoformat()
    closed = calendar.model_copy(update={"holidays": (day,), "open": ()})
    extra = calendar.model_copy(
        update={"holidays": (day,), "open": (f"{day} 09:00-10:00",)}
    )
    begins, ends = start - timedelta(days=2), start + timedelta(days=2)
    more, less = (elapsed(hours_of(each), begins, ends) for each in (extra, closed))
    assert more - less == HOUR
