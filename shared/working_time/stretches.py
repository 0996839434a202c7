"""The open spans of a stretch of time, ready to be searched.

Time is cut into stretches of about a year, counted from 1970. Where the cuts lie means
nothing: each is worked out once for given hours, and remembered.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from shared.working_time.hours import (
    WHOLE_DAY,
    Dated,
    Hours,
    Part,
    joined,
    open_parts,
)

LENGTH = 2**25
"""Seconds of a stretch: 388 days."""
_BOUNDS = range(
    int(datetime(2, 1, 1, tzinfo=UTC).timestamp()),
    int(datetime(9997, 1, 1, tzinfo=UTC).timestamp()),
)
"""Beyond these instants the calendar of Python ends."""
_DAYS_AROUND = 2
"""A local date lies at most so far from the same date in UTC, moved forward or not."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Spans in order, apart from each other; all in seconds since 1970."""

    opens: list[int]
    closes: list[int]
    worked: list[int]
    """Working seconds of the stretch until each of `closes`."""

    @property
    def total(self) -> int:
        """Its working seconds."""
        return self.worked[-1] if self.worked else 0

    def worked_until(self, at: int) -> int:
        """Return the working seconds from the beginning of the stretch to `at`."""
        last = bisect_right(self.opens, at) - 1
        if last < 0:
            return 0
        return self.worked[last] - max(0, self.closes[last] - at)

    def when_worked(self, seconds: int) -> int:
        """Return the first instant at which so many, 1 to `total`, have passed."""
        span = bisect_left(self.worked, seconds)
        return self.closes[span] - (self.worked[span] - seconds)

    def open_from(self, at: int) -> int | None:
        """Return the first open instant from `at` on, if the stretch has one."""
        span = bisect_right(self.closes, at)
        return max(at, self.opens[span]) if span < len(self.opens) else None


@lru_cache(maxsize=512)
def stretch(hours: Hours, number: int) -> Stretch:
    """Return the stretch from `number * LENGTH` on. ValueError far from our time."""
    start = number * LENGTH
    if start not in _BOUNDS:
        raise ValueError("this instant is too far away to count working time: check it")
    found = Stretch([], [], [])
    worked = 0
    for opens, closes in joined(sorted(_spans(hours, start, start + LENGTH))):
        worked += closes - opens
        found.opens.append(opens)
        found.closes.append(closes)
        found.worked.append(worked)
    return found


def _spans(hours: Hours, start: int, end: int) -> Iterator[Part]:
    closed, opened = _by_date(hours.closed), _by_date(hours.opened)
    first, last = (datetime.fromtimestamp(at, UTC).toordinal() for at in (start, end))
    for number in range(first - _DAYS_AROUND, last + _DAYS_AROUND + 1):
        day = date.fromordinal(number)
        if not _has(hours.zone, day):
            continue
        for part in open_parts(hours, day, closed, opened):
            opens, closes = (_instant(hours.zone, day, minute) for minute in part)
            span = max(opens, start), min(closes, end)
            if span[0] < span[1]:
                yield span


def _by_date(dated: Iterable[Dated]) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {}
    for written, part in dated:
        found.setdefault(written, []).append(part)
    return found


def _has(zone: ZoneInfo, day: date) -> bool:
    """Tell whether a date exists: on 30 December 2011 nobody in Samoa had any hours."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
    return datetime.fromtimestamp(noon.timestamp(), zone).day == day.day


def _instant(zone: ZoneInfo, day: date, minute: int) -> int:
    # Without `fold` Python does what we promise for hours that are missing or twice.
    if minute == WHOLE_DAY[1]:
        day, minute = date.fromordinal(day.toordinal() + 1), 0
    hour, minute = divmod(minute, 60)
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    return int(local.timestamp())
