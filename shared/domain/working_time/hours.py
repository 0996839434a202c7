"""Open hours: a coverage calendar, prepared for counting working time.

Time is divided into stretches of about a year, counted from 1970. The boundaries have
no meaning: each stretch is computed once for given hours, and cached.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from shared.domain.policy.calendars import DAYS, Calendar, Day, Window
from shared.domain.policy.clause import derived

Part = tuple[int, int]
"""From, to, half-open: minutes of a local date, 0 to 1440."""
WHOLE_DAY: Part = (0, 24 * 60)
Dated = tuple[str, Part]
"""A part of a date: `2025-06-09`, or `12-24` of every year."""
PartsByDate = Mapping[str, Sequence[Part]]
Week = tuple[tuple[Day, tuple[Window, ...]], ...]


@dataclass(frozen=True)
class Hours:
    """The open parts of each weekday, and the dates that close or open more."""

    zone: ZoneInfo
    week: tuple[tuple[Part, ...], ...]
    """By weekday, Monday first; windows across midnight are split there."""
    closed: tuple[Dated, ...] = ()
    opened: tuple[Dated, ...] = ()
    """Takes precedence over `week` and `closed`; split at midnight, too."""

    @cached_property
    def _hash(self) -> int:
        return hash((self.zone.key, self.week, self.closed, self.opened))

    def __hash__(self) -> int:
        """Return the same for equal hours; computed once, since it is needed often."""
        return self._hash


ALWAYS = Hours(ZoneInfo("UTC"), ((WHOLE_DAY,),) * len(DAYS))
"""Around the clock."""


@derived
def hours_of(calendar: Calendar) -> Hours:
    """Return the hours of a calendar; its closed days are only those in `holidays`."""
    week = tuple(calendar.weekly_hours.items())
    return _compiled(calendar.timezone, week, calendar.holidays, calendar.open)


def open_parts(
    hours: Hours, day: date, closed: PartsByDate, opened: PartsByDate
) -> list[Part]:
    """Return the open parts of `day`, given what is closed and opened by date."""
    parts = list(hours.week[day.weekday()])
    written = day.isoformat()
    if closings := [*closed.get(written, ()), *closed.get(written[5:], ())]:
        parts = list(_less(parts, list(joined(sorted(closings)))))
    if extra := opened.get(written):
        # Joined in local time: when clocks change, instants might be in another order.
        parts = list(joined(sorted([*parts, *extra])))
    return parts


def joined(parts: list[Part]) -> Iterator[Part]:
    """Join parts, in order, that touch or overlap."""
    held: Part | None = None
    for part in parts:
        if held and part[0] <= held[1]:
            held = held[0], max(held[1], part[1])
        else:
            if held:
                yield held
            held = part
    if held:
        yield held


@lru_cache(maxsize=256)
def _compiled(
    zone: str, week: Week, closings: tuple[str, ...], openings: tuple[str, ...]
) -> Hours:
    days: list[list[Part]] = [[] for _ in DAYS]
    for day, windows in week:
        today = DAYS.index(day)
        for window in windows:
            opens, closes = _minutes(window.opens), _minutes(window.closes)
            if opens < closes:
                days[today].append((opens, closes))
            else:
                days[today].append((opens, WHOLE_DAY[1]))
                days[(today + 1) % len(DAYS)].append((0, closes))
    return Hours(
        ZoneInfo(zone),
        tuple(tuple(joined(sorted(parts))) for parts in days),
        tuple(_closing(written) for written in closings),
        tuple(part for written in openings for part in _opening(written)),
    )


def _opening(written: str) -> Iterator[Dated]:
    day, _, times = written.partition(" ")
    opens, closes = (_minutes(time) for time in times.split("-"))
    if opens < closes:
        yield day, (opens, closes)
    else:
        next_day = date.fromisoformat(day) + timedelta(days=1)
        yield day, (opens, WHOLE_DAY[1])
        yield next_day.isoformat(), (0, closes)


def _closing(written: str) -> Dated:
    day, _, times = written.partition(" ")
    if not times:
        return day, WHOLE_DAY
    opens, _, closes = times.partition("-")
    return day, (_minutes(opens), _minutes(closes))


def _minutes(time: str) -> int:
    hours, _, minutes = time.partition(":")
    return int(hours) * 60 + int(minutes)


def _less(parts: list[Part], closings: list[Part]) -> Iterator[Part]:
    """Yield what the closings, in order and without overlaps, leave of each part."""
    for opens, closes in parts:
        begins = opens
        for closed, opened in closings:
            if begins < min(closed, closes):
                yield begins, min(closed, closes)
            begins = max(begins, opened)
        if begins < closes:
            yield begins, closes


LENGTH = 2**25
"""Seconds in a stretch: 388 days."""
_BOUNDS = range(
    int(datetime(2, 1, 1, tzinfo=UTC).timestamp()),
    int(datetime(9997, 1, 1, tzinfo=UTC).timestamp()),
)
"""Python's calendar ends beyond these instants."""
_DAYS_AROUND = 2
"""The maximum distance in days between a local date and the same date in UTC."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Spans in order and without overlaps; all in seconds since 1970."""

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
        """Return the first instant at which `seconds`, 1 to `total`, have passed."""
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
    """Return whether a date exists: Samoa skipped 30 December 2011."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
    return datetime.fromtimestamp(noon.timestamp(), zone).day == day.day


def _instant(zone: ZoneInfo, day: date, minute: int) -> int:
    # Without `fold`, Python does as documented for missing and repeated hours.
    if minute == WHOLE_DAY[1]:
        day, minute = date.fromordinal(day.toordinal() + 1), 0
    hour, minute = divmod(minute, 60)
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    return int(local.timestamp())
