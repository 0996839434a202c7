"""Converts the events of an iCalendar file into closed days of a calendar. Pure.

Recurrence rules, extra and excluded dates and changed occurrences are evaluated by the
library `recurring-ical-events`; what it cannot handle is rejected here with a message.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from icalendar import Calendar, Component
from datetime import time
from zoneinfo import ZoneInfo

FILE_BYTES_MAX = 1024 * 1024
EVENTS_MAX = 2_000
"""Events in one file."""
RULES_MAX = 200
"""Recurring events in one file."""
OCCURRENCES_MAX = 10_000
"""Occurrences of a file's events within the requested years."""
_BY_DAYS = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_TIMES_OF_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")
_INSTANTS = ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE")
_A_LEAP_YEAR = 2024
_AGAIN = "export it again from where it comes from"


class Closing(NamedTuple):
    """Begin and end; dates for whole days, local times if without a zone."""

    begins: date
    ends: date


def closing_events(text: str, years: range) -> Iterator[Closing]:
    """Yield closed times. Raises ValueError with a message that says what to do.

    Free time (`TRANSP:TRANSPARENT`) and cancelled events close nothing.
    """
    calendars = _calendars(text)
    _check([event for each in calendars for event in each.walk("VEVENT")])
    for number, event in enumerate(_happening(calendars, years), 1):
        if number > OCCURRENCES_MAX:
            raise ValueError(
                f"its events happen more than {OCCURRENCES_MAX} times from {years[0]} "
                f"to {years[-1]}: leave some out"
            )
        if not _is_void(event):
            yield Closing(_date(event["DTSTART"]), _date(event["DTEND"]))


def _happening(calendars: Sequence["Calendar"], years: range) -> Iterator["Component"]:
    """Yield occurrences year by year, so that a limit is reached early."""
    from recurring_ical_events import of  # heavy

    try:
        queries = [of(calendar) for calendar in calendars]
        for year in years:
            for query in queries:
                yield from query.between((year, 1, 1), (year + 1, 1, 1))
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as no:
        raise ValueError(f"an event in it cannot be worked out: {_AGAIN}") from no


def _calendars(text: str) -> Sequence["Calendar"]:
    from icalendar import Calendar  # heavy

    try:
        found = Calendar.from_ical(text, multiple=True)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"not iCalendar: {_AGAIN}") from error
    calendars = [each for each in found if isinstance(each, Calendar)]
    if not calendars or len(calendars) < len(found):
        raise ValueError(f"not iCalendar, for it has no VCALENDAR: {_AGAIN}")
    return calendars


def _check(events: Sequence["Component"]) -> None:
    if not events:
        raise ValueError("no event in it closes anything: take it out of `closed_in`")
    if len(events) > EVENTS_MAX:
        raise ValueError(f"more than {EVENTS_MAX} events: leave the old ones out")
    if sum("RRULE" in event for event in events) > RULES_MAX:
        raise ValueError(f"more than {RULES_MAX} events that recur: leave some out")
    if all(_says(event, "TRANSP", "TRANSPARENT") for event in events):
        raise ValueError(
            "all its events are marked as free time (TRANSP:TRANSPARENT), which closes "
            "nothing: mark them as busy, or take the file out of `closed_in`"
        )
    for event in events:
        if mistake := _mistake(event):
            raise ValueError(f"event {_name(event)}: {mistake}")


def _mistake(event: "Component") -> str | None:
    if "DTSTART" not in event or event.errors:
        return f"it cannot be read whole: correct it, or {_AGAIN}"
    if _ends_before_it_begins(event):
        return "it ends before it begins: correct it"
    for rule in _several(event.get("RRULE")):
        if mistake := _mistake_of_rule(rule):
            return mistake
    for name in _INSTANTS:
        for value in _several(event.get(name)):
            zone = value.params.get("TZID")
            if zone and any(_is_local(at) for at in _instants(value)):
                return f"no time zone `{zone}` is known: write one such as Europe/Paris"
    return None


def _ends_before_it_begins(event: "Component") -> bool:
    if "DURATION" in event:
        return any(each.dt < timedelta(0) for each in _several(event["DURATION"]))
    if "DTEND" not in event:
        return False
    begins, ends = (_date(_several(event[name])[0]) for name in ("DTSTART", "DTEND"))
    # Values of different types cannot be compared; the library reports that itself.
    kinds = [(isinstance(at, datetime), _is_local(at)) for at in (begins, ends)]
    return kinds[0] == kinds[1] and bool(ends < begins)


def _mistake_of_rule(rule: Mapping[str, Any]) -> str | None:
    frequency = [str(each).upper() for each in rule.get("FREQ", ())]
    if not _BY_DAYS.issuperset(frequency) or any(
        len(rule.get(each, ())) > 1 for each in _TIMES_OF_DAY
    ):
        return (
            "it happens more than once a day: write one event with its begin and end, "
            "and a rule such as FREQ=WEEKLY;BYDAY=SA"
        )
    if any(step < 1 for step in rule.get("INTERVAL", ())):
        return "its rule goes on by nothing, for ever: write an INTERVAL from 1 on"
    if not _has_a_day(rule.get("BYMONTH", ()), rule.get("BYMONTHDAY", ())):
        return "no month has such a day, so its rule never happens: correct it"
    return None


def _has_a_day(months: Sequence[int], days: Sequence[int]) -> bool:
    """Return whether a rule matches a day at all; else the search goes to year 9999."""
    return not (months and days) or any(
        abs(day) <= monthrange(_A_LEAP_YEAR, month)[1]
        for month in months
        for day in days
    )


def _is_void(event: "Component") -> bool:
    free = _says(event, "TRANSP", "TRANSPARENT")
    return free or _says(event, "STATUS", "CANCELLED")


def _says(event: "Component", name: str, word: str) -> bool:
    return str(event.get(name, "")).upper() == word


def _date(value: Any) -> date:  # noqa: ANN401 # of any property
    at: date = value.dt
    return at


def _name(event: "Component") -> str:
    summary = event.get("SUMMARY") or event.get("UID") or "without a name"
    return f"`{summary}`"


def _several(value: Any) -> Sequence[Any]:  # noqa: ANN401 # not typed by the library
    """Return the values of a property that may occur never, once or several times."""
    match value:
        case None:
            return ()
        case list():
            return value
        case _:
            return (value,)


def _instants(value: Any) -> Iterator[object]:  # noqa: ANN401 # likewise
    """Yield the instants of a property: one, or those of a list."""
    if hasattr(value, "dts"):
        for each in value.dts:
            yield each.dt
    else:
        yield value.dt


def _is_local(at: object) -> bool:
    return isinstance(at, datetime) and at.tzinfo is None


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
