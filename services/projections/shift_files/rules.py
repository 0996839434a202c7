"""Converts the events of an iCalendar file into shifts of people in a period. Pure.

Times without a zone, and whole days, are on the clocks of the schedule.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from shared.domain.commands.on_call import (
    IMPORTED_SHIFTS_MAX,
    PEOPLE_MAX,
    ShiftBody,
)
from shared.domain.icalendar_file import (
    EXPORT_AGAIN,
    calendars_in,
    day_or_instant,
    mistake_in,
    name_of,
    require_few,
    says,
    several,
)
from shared.domain.on_call.local_times import first_instant, last_instant

if TYPE_CHECKING:
    from icalendar import Calendar, Component

NAME_MAX = 200
"""Characters of what names a person; what is longer is cut and matches nobody."""
REASON_MAX = 200
LISTED_MAX = 20
"""How many names that are nobody's a refusal lists."""
_NAMELESS = "neither an attendee nor a summary"
_LINE = "X-PERMANENCE-LINE"
_STEP = timedelta(days=31)
_MARGIN = timedelta(days=2)
"""More than local times differ between zones: what is outside is cut off later."""
_MAILTO = "mailto:"


class ExitCode(IntEnum):
    """How the process ends that works a file out."""

    DONE = 0
    MISTAKE = 3


class FileShift(NamedTuple):
    """A period, [start, end), and what names its people: addresses, or the summary."""

    start: datetime
    end: datetime
    names: tuple[str, ...]
    line: int
    """Where its event begins in the file; 0 if that is unknown."""


class Mistake(Exception):
    """A file cannot be used; the sentence says why, `line` where if it is known."""

    def __init__(self, sentence: str, line: int = 0) -> None:
        super().__init__(sentence)
        self.line = line


def shifts_in(text: str, zone: str, start: datetime, end: datetime) -> list[FileShift]:
    """Return the shifts of a file in [start, end), in order. Raises `Mistake`.

    Events that were called off are left out.
    """
    try:
        calendars = calendars_in(text)
        events = [event for each in calendars for event in each.walk("VEVENT")]
        require_few(events)
    except ValueError as error:
        raise Mistake(str(error)) from error
    for event, line in zip(events, _lines(text, len(events)), strict=True):
        if mistake := _mistake(event):
            raise Mistake(f"event {name_of(event)[:NAME_MAX]}: {mistake}", line)
        event.add(_LINE, str(line))
    found: set[FileShift] = set()
    for each in _happening(calendars, start - _MARGIN, end + _MARGIN):
        if says(each, "STATUS", "CANCELLED"):
            continue
        shift = _shift(each, ZoneInfo(zone), start, end)
        if shift.start < shift.end:
            found.add(shift)
        if len(found) > IMPORTED_SHIFTS_MAX:
            raise Mistake(
                f"it has more than {IMPORTED_SHIFTS_MAX} shifts in this period: choose "
                "a shorter one"
            )
    return sorted(found)


def _lines(text: str, count: int) -> Sequence[int]:
    """Return the numbers of the lines on which events begin."""
    found = [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip().upper() == "BEGIN:VEVENT"
    ]
    return found if len(found) == count else [0] * count


def _mistake(event: "Component") -> str | None:
    for name, message in event.errors:
        about = f"{name}: " if name else ""
        return f"{about}{message}"[:REASON_MAX]
    if len(several(event.get("ATTENDEE"))) > PEOPLE_MAX:
        return f"more than {PEOPLE_MAX} attendees: leave some out"
    return mistake_in(event)


def _happening(
    calendars: Sequence["Calendar"], start: datetime, end: datetime
) -> Iterator["Component"]:
    """Yield occurrences month by month, so that a limit is reached early.

    One that goes on over the end of a month comes twice.
    """
    from recurring_ical_events import of  # heavy

    try:
        queries = [of(calendar) for calendar in calendars]
        while start < end:
            until = min(start + _STEP, end)
            yield from chain.from_iterable(
                query.between(start, until) for query in queries
            )
            start = until
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as no:
        raise Mistake(f"an event in it cannot be worked out: {EXPORT_AGAIN}") from no


def _shift(
    event: "Component", zone: ZoneInfo, start: datetime, end: datetime
) -> FileShift:
    begins, ends = (day_or_instant(event[name]) for name in ("DTSTART", "DTEND"))
    if not isinstance(begins, datetime):  # whole days: at least one
        ends = max(ends, begins + timedelta(days=1))
    return FileShift(
        max(_instant(begins, zone, last=False), start),
        min(_instant(ends, zone, last=True), end),
        _names(event),
        int(event.get(_LINE, 0)),
    )


def _instant(at: date, zone: ZoneInfo, *, last: bool) -> datetime:
    if not isinstance(at, datetime):
        at = datetime.combine(at, time())
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    return last_instant(at, zone) if last else first_instant(at, zone)


def _names(event: "Component") -> tuple[str, ...]:
    """Return the addresses of those who attend, else the summary."""
    attendees = (str(each).strip() for each in several(event.get("ATTENDEE")))
    mails = [
        each[len(_MAILTO) :].strip()
        for each in attendees
        if each.lower().startswith(_MAILTO)
    ]
    names = mails or [str(event.get("SUMMARY", "")).strip()]
    return tuple(dict.fromkeys(name[:NAME_MAX] for name in names))


class Unmatched(NamedTuple):
    """A name in a file that is nobody's, and the first line of an event with it."""

    name: str
    line: int

    @property
    def sentence(self) -> str:
        """Who is missing, and where."""
        who = f"`{self.name}`" if self.name else _NAMELESS
        return f"{who} (line {self.line})" if self.line else who


def names_in(found: Iterable[FileShift]) -> frozenset[str]:
    """Return all names in the shifts of a file, in lower case."""
    return frozenset(name.lower() for shift in found for name in shift.names)


def assigned(
    found: Sequence[FileShift],
    people: Mapping[str, str],
    mapped: Mapping[str, str | None],
) -> tuple[Sequence[ShiftBody], Sequence[Unmatched]]:
    """Return the shifts with their people, and the names that are nobody's.

    `people` are ids by address or id, in lower case. `mapped` comes first; a name that
    is mapped to None is left out, and a shift without anybody with it.
    """
    wanted = {**people, **{name.lower(): who for name, who in mapped.items()}}
    shifts: list[ShiftBody] = []
    unmatched: dict[str, Unmatched] = {}
    for shift in found:
        meant: list[str] = []
        for name in shift.names:
            if (key := name.lower()) not in wanted:
                unmatched.setdefault(key, Unmatched(name, shift.line))
            elif (person := wanted[key]) is not None:
                meant.append(person)
        if meant:
            together = tuple(dict.fromkeys(meant))
            shifts.append(ShiftBody(people=together, start=shift.start, end=shift.end))
    return shifts, list(unmatched.values())
