"""Converts the events of an iCalendar file into closed days of a calendar. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from shared.domain.icalendar_file import (
    EXPORT_AGAIN,
    calendars_in,
    day_or_instant,
    mistake_in,
    name_of,
    require_few,
    says,
)

if TYPE_CHECKING:
    from icalendar import Calendar, Component

OCCURRENCES_MAX = 10_000
"""Occurrences of a file's events within the requested years."""


class Closing(NamedTuple):
    """Begin and end; dates for whole days, local times if without a zone."""

    begins: date
    ends: date


def closing_events(text: str, years: range) -> Iterator[Closing]:
    """Yield closed times. Raises ValueError with a message that says what to do.

    Free time (`TRANSP:TRANSPARENT`) and cancelled events close nothing.
    """
    calendars = calendars_in(text)
    _check([event for each in calendars for event in each.walk("VEVENT")])
    for number, event in enumerate(_happening(calendars, years), 1):
        if number > OCCURRENCES_MAX:
            raise ValueError(
                f"its events happen more than {OCCURRENCES_MAX} times from {years[0]} "
                f"to {years[-1]}: leave some out"
            )
        if not _is_void(event):
            yield Closing(
                day_or_instant(event["DTSTART"]), day_or_instant(event["DTEND"])
            )


def _happening(calendars: Sequence["Calendar"], years: range) -> Iterator["Component"]:
    """Yield occurrences year by year, so that a limit is reached early."""
    from recurring_ical_events import of  # heavy

    try:
        queries = [of(calendar) for calendar in calendars]
        for year in years:
            for query in queries:
                yield from query.between((year, 1, 1), (year + 1, 1, 1))
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as no:
        raise ValueError(f"an event in it cannot be worked out: {EXPORT_AGAIN}") from no


def _check(events: Sequence["Component"]) -> None:
    if not events:
        raise ValueError("no event in it closes anything: take it out of `closed_in`")
    require_few(events)
    if all(says(event, "TRANSP", "TRANSPARENT") for event in events):
        raise ValueError(
            "all its events are marked as free time (TRANSP:TRANSPARENT), which closes "
            "nothing: mark them as busy, or take the file out of `closed_in`"
        )
    for event in events:
        if mistake := mistake_in(event):
            raise ValueError(f"event {name_of(event)}: {mistake}")


def _is_void(event: "Component") -> bool:
    free = says(event, "TRANSP", "TRANSPARENT")
    return free or says(event, "STATUS", "CANCELLED")


YEARS_BACK = 1
YEARS_AHEAD = 5


def horizon(on: date) -> range:
    """Return the years for which a policy applied on that day contains dates."""
    return range(on.year - YEARS_BACK, on.year + YEARS_AHEAD + 1)


CLOSINGS_MAX = 10_000
"""Limit of closed days and parts of days in a file."""
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


def closings_in(text: str, zone: str, years: range) -> list[str]:
    """Return what a file closes in a zone within some years, as in a calendar.

    A time without a zone is local to the calendar. Raises ValueError with a message
    that says what to do.
    """
    found: set[str] = set()
    for event in closing_events(text, years):
        for day, part in _parts(event, ZoneInfo(zone), years):
            found.add(f"{day.isoformat()} {part}" if part else day.isoformat())
        if len(found) > CLOSINGS_MAX:
            raise ValueError(
                f"it closes more than {CLOSINGS_MAX} days and parts of days from "
                f"{years[0]} to {years[-1]}: leave some out"
            )
    return sorted(found)


def _parts(event: Closing, zone: ZoneInfo, years: range) -> Iterator[tuple[date, str]]:
    """Yield the dates of an event with the part it closes; empty for whole days."""
    if isinstance(event.begins, datetime) and isinstance(event.ends, datetime):
        begins, ends = _local(event.begins, event.ends, zone)
    else:  # whole days: the end is exclusive, at least one day
        begins = datetime.combine(event.begins, time())
        ends = max(datetime.combine(event.ends, time()), begins + _DAY)
    first = max(begins, datetime(years[0], 1, 1))  # noqa: DTZ001 # local
    last = min(ends, datetime(years[-1] + 1, 1, 1))  # noqa: DTZ001 # likewise
    while first < last:
        midnight = datetime.combine(first.date() + _DAY, time())
        until = min(last, midnight)
        opens = f"{first:%H:%M}"
        closes = "24:00" if until == midnight else f"{until:%H:%M}"
        part = f"{opens}-{closes}"
        yield first.date(), "" if part == "00:00-24:00" else part
        first = until


def _local(
    begins: datetime, ends: datetime, zone: ZoneInfo
) -> tuple[datetime, datetime]:
    """Return begin and end in the local time of a zone, rounded out to minutes."""
    lasts = ends - begins
    if begins.tzinfo is not None:
        begins, ends = (
            at.astimezone(zone).replace(tzinfo=None) for at in (begins, ends)
        )
        if ends <= begins:  # the clocks went back in between
            ends = begins + lasts
    first = begins.replace(second=0, microsecond=0)
    last = ends.replace(second=0, microsecond=0)
    return first, last if last == ends else last + _MINUTE
