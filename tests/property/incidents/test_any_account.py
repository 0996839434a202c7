"""The account of any promise adds up to its working time, whatever its calendar."""

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.policy.calendars import Calendar
from shared.domain.working_time import account, elapsed, hours_of, is_open
from tests.support.strategies.calendars import calendars, passed, pauses_after, starts

SECOND = timedelta(seconds=1)
data = st.data()


@given(calendars, starts, passed, data)
def test_the_windows_add_up_to_what_elapsed(
    calendar: Calendar, start: datetime, after: int, data: st.DataObject
) -> None:
    hours, end = hours_of(calendar), start + after * SECOND
    pauses = data.draw(pauses_after(start))

    windows = list(account(hours, start, end, pauses))

    counted = sum(window.seconds for window in windows)
    assert counted == elapsed(hours, start, end, pauses)
    assert [window.together for window in windows[-1:]] == [counted][: len(windows)]


@given(calendars, starts, passed, data)
def test_windows_are_open_in_order_and_apart(
    calendar: Calendar, start: datetime, after: int, data: st.DataObject
) -> None:
    hours, end = hours_of(calendar), start + after * SECOND
    pauses = data.draw(pauses_after(start))

    windows = list(account(hours, start, end, pauses))

    for window in windows:
        assert start <= window.begins < window.ends <= end
        assert is_open(hours, window.begins)
        assert is_open(hours, window.ends - SECOND)
    for one, other in pairwise(windows):
        assert one.ends <= other.begins
        # Two of a kind that touch would have been one.
        assert one.ends < other.begins or one.pause != other.pause
