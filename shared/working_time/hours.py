"""Hours: a coverage calendar made ready for counting."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from shared.policy.calendars import Calendar
from shared.policy.derived import derived
from shared.policy.weekly_hours import DAYS, Day, Window

Part = tuple[int, int]
"""From, to, half-open: of a local date in minutes, 0 to 1440."""
WHOLE_DAY: Part = (0, 24 * 60)
Dated = tuple[str, Part]
"""A part of a date: `2025-06-09`, or `12-24` of every year."""
PartsByDate = Mapping[str, Sequence[Part]]
Week = tuple[tuple[Day, tuple[Window, ...]], ...]


@dataclass(frozen=True)
class Hours:
    """The open parts of each weekday, less what dates close, and what they open."""

    zone: ZoneInfo
    week: tuple[tuple[Part, ...], ...]
    """By weekday, Monday first; windows across midnight are cut there."""
    closed: tuple[Dated, ...] = ()
    opened: tuple[Dated, ...] = ()
    """Wins over `week` and `closed`; windows across midnight are cut there."""

    @cached_property
    def _hash(self) -> int:
        return hash((self.zone.key, self.week, self.closed, self.opened))

    def __hash__(self) -> int:
        """Return the same for the same hours; worked out once: asked often."""
        return self._hash


ALWAYS = Hours(ZoneInfo("UTC"), ((WHOLE_DAY,),) * len(DAYS))
"""Around the clock."""


@derived
def hours_of(calendar: Calendar) -> Hours:
    """Return the hours of a calendar; its closed days are those in `holidays` alone."""
    week = tuple(calendar.weekly_hours.items())
    return _compiled(calendar.timezone, week, calendar.holidays, calendar.open)


def open_parts(
    hours: Hours, day: date, closed: PartsByDate, opened: PartsByDate
) -> list[Part]:
    """Return when `day` is open, with what `hours` has closed and opened by date."""
    parts = list(hours.week[day.weekday()])
    written = day.isoformat()
    if closings := [*closed.get(written, ()), *closed.get(written[5:], ())]:
        parts = list(_less(parts, list(joined(sorted(closings)))))
    if extra := opened.get(written):
        # Joined on the clock: where it jumps, the instants might lie otherwise.
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
    """Give what closings, in order and apart from each other, leave of each part."""
    for opens, closes in parts:
        begins = opens
        for closed, opened in closings:
            if begins < min(closed, closes):
                yield begins, min(closed, closes)
            begins = max(begins, opened)
        if begins < closes:
            yield begins, closes
