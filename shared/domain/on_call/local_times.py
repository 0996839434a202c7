"""The instants at which the clocks of a zone show a local time.

A local time that does not exist is moved forward to where the clocks continue. One that
occurs twice has a first and a last instant: shifts begin at the first and end at the
last, so that clocks that go back can make shifts overlap, but never leave a gap.
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

KEPT_MAX = 65_536
"""Instants that are kept: the same shifts are asked for again and again."""


@lru_cache(maxsize=KEPT_MAX)
def first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return when clocks show a local time: the first of two times, in UTC."""
    first, second = _both(local, zone)
    return first if first <= second else _after_the_gap(local, second, first, zone)


@lru_cache(maxsize=KEPT_MAX)
def last_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return when clocks show a local time: the last of two times, in UTC."""
    first, second = _both(local, zone)
    return second if first <= second else _after_the_gap(local, second, first, zone)


def _both(local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return (
        local.replace(tzinfo=zone, fold=0).astimezone(UTC),
        local.replace(tzinfo=zone, fold=1).astimezone(UTC),
    )


def _after_the_gap(
    local: datetime, before: datetime, after: datetime, zone: ZoneInfo
) -> datetime:
    """Return when clocks go forward, which is after `before` and until `after`."""
    seconds = range(int((after - before).total_seconds()) + 1)
    change = bisect_left(
        seconds, True, key=lambda passed: _shows(before, passed, zone) > local
    )
    return before + timedelta(seconds=change)


def _shows(at: datetime, passed: int, zone: ZoneInfo) -> datetime:
    """Return the local time some seconds after `at`."""
    return (at + timedelta(seconds=passed)).astimezone(zone).replace(tzinfo=None)
