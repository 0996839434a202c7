"""Parses an iCalendar file, and finds what in it cannot be worked out. Pure.

Recurrence rules, extra and excluded dates and changed occurrences are evaluated by the
library `recurring-ical-events`; what it cannot handle is rejected here with a message.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from icalendar import Calendar, Component

FILE_BYTES_MAX = 1024 * 1024
EVENTS_MAX = 2_000
"""Events in one file."""
RULES_MAX = 200
"""Recurring events in one file."""
_BY_DAYS = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_INSTANTS = ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE")
_TIMES_OF_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")
_A_LEAP_YEAR = 2024
EXPORT_AGAIN = "export it again from where it comes from"


def calendars_in(text: str) -> Sequence["Calendar"]:
    """Return the calendars in a file. Raises ValueError with a message."""
    from icalendar import Calendar  # heavy

    try:
        found = Calendar.from_ical(text, multiple=True)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"not iCalendar: {EXPORT_AGAIN}") from error
    calendars = [each for each in found if isinstance(each, Calendar)]
    if not calendars or len(calendars) < len(found):
        raise ValueError(f"not iCalendar, for it has no VCALENDAR: {EXPORT_AGAIN}")
    return calendars


def require_few(events: Sequence["Component"]) -> None:
    """Raise ValueError with a message if a file has too many events."""
    if len(events) > EVENTS_MAX:
        raise ValueError(f"more than {EVENTS_MAX} events: leave the old ones out")
    if sum("RRULE" in event for event in events) > RULES_MAX:
        raise ValueError(f"more than {RULES_MAX} events that recur: leave some out")


def mistake_in(event: "Component") -> str | None:
    """Return why an event cannot be worked out, None if it can."""
    if "DTSTART" not in event or event.errors:
        return f"it cannot be read whole: correct it, or {EXPORT_AGAIN}"
    if _ends_before_it_begins(event):
        return "it ends before it begins: correct it"
    for rule in several(event.get("RRULE")):
        if mistake := _mistake_of_rule(rule):
            return mistake
    for name in _INSTANTS:
        for value in several(event.get(name)):
            zone = value.params.get("TZID")
            if zone and any(_is_local(at) for at in _instants(value)):
                return f"no time zone `{zone}` is known: write one such as Europe/Paris"
    return None


def _ends_before_it_begins(event: "Component") -> bool:
    if "DURATION" in event:
        return any(each.dt < timedelta(0) for each in several(event["DURATION"]))
    if "DTEND" not in event:
        return False
    begins, ends = (
        day_or_instant(several(event[name])[0]) for name in ("DTSTART", "DTEND")
    )
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


def says(event: "Component", name: str, word: str) -> bool:
    """Return whether a property has this value, in any case."""
    return str(event.get(name, "")).upper() == word


def day_or_instant(value: Any) -> date:  # noqa: ANN401 # of any property
    """Return the day or the instant of a property."""
    at: date = value.dt
    return at


def name_of(event: "Component") -> str:
    """Return what to call an event in a message."""
    summary = event.get("SUMMARY") or event.get("UID") or "without a name"
    return f"`{summary}`"


def several(value: Any) -> Sequence[Any]:  # noqa: ANN401 # not typed by the library
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
