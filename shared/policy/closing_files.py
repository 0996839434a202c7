"""The events of an iCalendar file as closed days and parts of days of a calendar."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.policy.closing_events import Closing, closing_events

CLOSINGS_MAX = 10_000
"""Closed days and parts of days that a file may come to."""
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


def closings_in(text: str, zone: str, years: range) -> list[str]:
    """Return what a file closes in a zone within some years, as a calendar writes it.

    A time without a zone is local to that of the calendar. ValueError: a sentence that
    says what to do.
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
    """Yield the dates of an event with the part it closes; empty: all of it."""
    if isinstance(event.begins, datetime) and isinstance(event.ends, datetime):
        begins, ends = _local(event.begins, event.ends, zone)
    else:  # whole days: the last is not among them, but one is at least
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
    """Return from when to when on the clocks of a zone, in whole minutes around it."""
    lasts = ends - begins
    if begins.tzinfo is not None:
        begins, ends = (
            at.astimezone(zone).replace(tzinfo=None) for at in (begins, ends)
        )
        if ends <= begins:  # the clocks went back meanwhile
            ends = begins + lasts
    first = begins.replace(second=0, microsecond=0)
    last = ends.replace(second=0, microsecond=0)
    return first, last if last == ends else last + _MINUTE
