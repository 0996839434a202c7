"""Who is assigned to which period by the layers of a roster, before any override.

A layer's turns count in its hours. Of the layers of one role, those of the highest
priority that have somebody on call count.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

from shared.domain.on_call.local_times import first_instant, last_instant
from shared.domain.on_call.roster import Roster
from shared.domain.on_call.turns import turns
from shared.domain.policy.calendars import DAYS, WeekOfWindows, Window
from shared.domain.policy.schedules import Layer, Participant, Role, group

Span = tuple[datetime, datetime]
Origin: TypeAlias = tuple[str, int, int]
"""What put somebody on call: the kind, its index, and the number of the turn."""

DAY = timedelta(days=1)
_ABOVE_ALL_LAYERS = 1_000
_WEEK = 7 * DAY
_MARGIN = 8 * DAY
"""Longer than hours of a week are open on end, unless they never close."""
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Assignment:
    """People on call in [begins, ends), unless somebody changed it."""

    begins: datetime
    ends: datetime
    people: tuple[str, ...]
    origin: Origin
    priority: int
    substitutes: tuple[Participant, ...] = ()
    """Who takes over if one of them is absent: the participants, the next one first."""


def assignments(
    roster: Roster, role: Role, start: datetime, end: datetime
) -> list[Assignment]:
    """Return all that overlap [start, end), each from its beginning to its end."""
    zone = ZoneInfo(roster.timezone)
    found = [
        assignment
        for index, layer in enumerate(roster.layers)
        if layer.role == role
        for assignment in _of_layer(layer, index, zone, start, end)
    ]
    if role == "primary":
        found += _temporary(roster, start, end)
    return found


def assignments_at(roster: Roster, role: Role, at: datetime) -> list[Assignment]:
    """Return those at one instant; what they begin and end with is not of use."""
    zone = ZoneInfo(roster.timezone)
    found = [
        _assigned(layer, index, turn.number, (turn.begins, turn.ends))
        for index, layer in enumerate(roster.layers)
        if layer.role == role
        and (layer.hours is None or is_within(layer.hours, zone, at))
        for turn in turns(layer.rotation, zone, at, at + _MOMENT)
    ]
    if role == "primary":
        found += _temporary(roster, at, at + _MOMENT)
    return found


def _of_layer(
    layer: Layer, index: int, zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[Assignment]:
    if layer.hours is None or _is_always(layer.hours):
        for turn in turns(layer.rotation, zone, start, end):
            yield _assigned(layer, index, turn.number, (turn.begins, turn.ends))
        return
    windows = open_spans(layer.hours, zone, start - _MARGIN, end + _MARGIN)
    for turn in turns(layer.rotation, zone, start, end):
        first = max(bisect_right(windows, turn.begins, key=_opens) - 1, 0)
        for opens, closes in windows[first:]:
            if opens >= turn.ends:
                break
            span = max(opens, turn.begins), min(closes, turn.ends)
            if span[0] < span[1] and span[0] < end and span[1] > start:
                yield _assigned(layer, index, turn.number, span)


def _opens(span: Span) -> datetime:
    return span[0]


def _assigned(layer: Layer, index: int, number: int, span: Span) -> Assignment:
    participants = layer.rotation.participants
    place = number % len(participants)
    return Assignment(
        *span,
        group(participants[place]),
        ("layer", index, number),
        layer.priority,
        participants[place + 1 :] + participants[:place],
    )


def _temporary(roster: Roster, start: datetime, end: datetime) -> Iterator[Assignment]:
    """Yield the shifts of temporary schedules, within the schedule's period."""
    for index, schedule in enumerate(roster.temporary):
        for number, shift in enumerate(schedule.shifts):
            begins, ends = (
                max(schedule.start, shift.start),
                min(schedule.end, shift.end),
            )
            if begins < ends and begins < end and ends > start:
                origin = "temporary", index, number
                priority = _ABOVE_ALL_LAYERS + index
                yield Assignment(begins, ends, shift.people, origin, priority)


def open_spans(
    hours: WeekOfWindows, zone: ZoneInfo, start: datetime, end: datetime
) -> list[Span]:
    """Return the windows in and around a period, in order; those that touch are one."""
    found: list[Span] = []
    for opens, closes in sorted(_windows(hours, zone, start, end)):
        if found and opens <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], closes)
        elif opens < closes:
            found.append((opens, closes))
    return found


def _is_always(hours: WeekOfWindows) -> bool:
    """Return whether the hours never close: windows do not overlap."""
    lengths = (_local(window) for windows in hours.values() for window in windows)
    return sum((ends - opens for opens, ends in lengths), timedelta()) == _WEEK


def is_within(hours: WeekOfWindows, zone: ZoneInfo, at: datetime) -> bool:
    """Return whether an instant is in the hours of a week, on the clocks of a zone."""
    return any(opens <= at < closes for opens, closes in _windows(hours, zone, at, at))


def _windows(
    hours: WeekOfWindows, zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[Span]:
    """Yield the windows of all days that may have one in [start, end]."""
    day = start.astimezone(zone).date() - DAY
    last = end.astimezone(zone).date()
    while day <= last:
        for window in hours.get(DAYS[day.weekday()], ()):
            yield _window(window, day, zone)
        day += DAY


def _window(window: Window, day: date, zone: ZoneInfo) -> Span:
    """Return when a window of a day opens, and when it closes at the latest."""
    opens, closes = _local(window)
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 # local
    return first_instant(midnight + opens, zone), last_instant(midnight + closes, zone)


@lru_cache(maxsize=4_096)
def _local(window: Window) -> tuple[timedelta, timedelta]:
    """Return when a window opens and closes, after midnight of its day."""
    opens, closes = _since_midnight(window.opens), _since_midnight(window.closes)
    return opens, closes if closes > opens else closes + DAY


def _since_midnight(time: str) -> timedelta:
    hours, _, minutes = time.partition(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def highest(assignments: Sequence[Assignment]) -> list[Assignment]:
    """Return those of the highest priority."""
    top = max((each.priority for each in assignments), default=0)
    return [each for each in assignments if each.priority == top]
