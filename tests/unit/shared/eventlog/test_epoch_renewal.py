"""Where references go on after a restore."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.eventlog.continuity.epoch_renewal import (
    MARGIN,
    NUMBERED_SINCE,
    number_after,
)

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
NOW = datetime(2026, 12, 3, 12, tzinfo=UTC)
OF_NOW = MARGIN + 336 * 86_400 + 12 * 3_600


shares = st.floats(0, 1, exclude_max=True)


@given(st.lists(st.tuples(st.integers(1, 10**7), shares, shares), max_size=8))
def test_a_later_restore_goes_on_above_all_that_was_issued_whatever_it_is_of(
    restores: list[tuple[int, float, float]],
) -> None:
    """What was opened until then, and what is known of all that, is up to chance."""
    now, issued = NUMBERED_SINCE, MARGIN
    for seconds, opened, known in restores:
        now += seconds * SECOND
        issued += int(seconds * opened)

        number = number_after(int(issued * known), now)

        assert number >= issued
        issued = number


@pytest.mark.parametrize(
    ("known", "now", "number"),
    [
        (0, NOW, OF_NOW),
        (OF_NOW, NOW, OF_NOW),
        (OF_NOW + 1, NOW, OF_NOW + 1 + MARGIN),
        (50, NUMBERED_SINCE - DAY, 50 + MARGIN),
        (4_211, NUMBERED_SINCE.replace(year=2057), 978_317_200),
        (0, datetime.max.replace(tzinfo=UTC), 251_635_085_199),
    ],
    ids=[
        "empty",
        "said twice",
        "more opened",
        "a clock behind",
        "2057",
        "no more digits",
    ],
)
def test_it_is_the_number_of_the_instant_if_that_is_above_what_is_known(
    known: int, now: datetime, number: int
) -> None:
    assert number_after(known, now) == number
