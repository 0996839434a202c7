"""Parts of a period begin when days, weeks and months begin where people live."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from services.projections.metrics.period import (
    SUB_PERIODS_MAX,
    Every,
    TooManySubPeriods,
    bounds,
    midnight,
)

PARIS = ZoneInfo("Europe/Paris")


def _parts(first: str, last: str, every: Every, zone: ZoneInfo = PARIS) -> list[float]:
    start, end = (midnight(date.fromisoformat(day), zone) for day in (first, last))
    cut = bounds(start, end, zone, every)
    assert (cut[0], cut[-1]) == (start, end)
    return [(after - before) / timedelta(hours=1) for before, after in pairwise(cut)]


def test_the_days_on_which_clocks_change_are_shorter_and_longer() -> None:
    assert _parts("2025-03-29", "2025-04-01", "day") == [24, 23, 24]
    assert _parts("2025-10-25", "2025-10-28", "day") == [24, 25, 24]


def test_a_week_begins_on_monday_and_the_ends_may_be_parts_of_one() -> None:
    assert _parts("2025-06-05", "2025-06-17", "week") == [96, 168, 24]


def test_months_are_as_long_as_they_are() -> None:
    assert _parts("2024-01-31", "2024-03-02", "month") == [24, 29 * 24, 24]


def test_a_midnight_that_does_not_exist_is_when_the_clocks_have_gone_forward() -> None:
    cairo = ZoneInfo("Africa/Cairo")

    assert midnight(date(2025, 4, 25), cairo) == datetime(2025, 4, 24, 22, tzinfo=UTC)
    assert _parts("2025-04-24", "2025-04-27", "day", cairo) == [24, 23, 24]


def test_an_instant_within_a_day_begins_with_the_rest_of_it() -> None:
    start = datetime(2025, 6, 5, 10, tzinfo=UTC)
    end = datetime(2025, 6, 6, 10, tzinfo=UTC)

    cut = bounds(start, end, PARIS, "day")

    assert cut == [start, datetime(2025, 6, 5, 22, tzinfo=UTC), end]


def test_there_are_at_most_so_many_parts() -> None:
    start = midnight(date(2025, 1, 1), PARIS)
    most = midnight(date(2025, 1, 1) + timedelta(days=SUB_PERIODS_MAX), PARIS)

    assert len(bounds(start, most, PARIS, "day")) == SUB_PERIODS_MAX + 1
    with pytest.raises(TooManySubPeriods, match="longer parts"):
        bounds(start, most + timedelta(seconds=1), PARIS, "day")
