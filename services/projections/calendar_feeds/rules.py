"""Which events a calendar of shifts has, and how iCalendar writes them. Pure.

Instants are in UTC, which every calendar shows on the clocks of its reader.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.on_call import Roster, shifts
from shared.domain.policy.schedules import Role
from shared.i18n.catalog import Language, text_of

if TYPE_CHECKING:
    from icalendar import Event

BACK = timedelta(days=30)
AHEAD = timedelta(days=90)
REFRESH = timedelta(hours=1)
_HOST = "permanence"
_WORDS = "page.calendar"


@dataclass(frozen=True, slots=True)
class Entry:
    """A shift, or an absence if it has no schedule; [start, end)."""

    start: datetime
    end: datetime
    schedule: str | None
    role: Role = "primary"
    people: tuple[str, ...] = ()

    @property
    def uid(self) -> str:
        """The same for the same shift, whenever it is asked for."""
        begins = f"{self.start.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        if self.schedule is None:
            return f"absence-{begins}@{_HOST}"
        return f"{self.schedule}-{self.role}-{begins}@{_HOST}"


@dataclass(frozen=True, slots=True)
class Edition:
    """What is known of a schedule's changes: how many, and when the last one came."""

    sequence: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Head:
    """What a calendar has besides its events."""

    title: str
    language: Language
    url: str
    """The public address of the desk; empty if it is unknown."""
    names: Mapping[str, str] | None
    """The names of people; None in the calendar of one person, which shows nobody."""


def entries_ahead(
    schedule: str, roster: Roster, at: datetime, person: str | None
) -> Iterable[Entry]:
    """Yield the shifts from now on, in every role; of one `person` only, or of all."""
    for role in _roles(roster):
        for shift in shifts(roster, at, at + AHEAD, role):
            if person is None or person in shift.people:
                yield Entry(shift.begins, shift.ends, schedule, role, shift.people)


def _roles(roster: Roster) -> Sequence[Role]:
    first: list[Role] = ["primary"]
    layers = [layer.role for layer in roster.layers]
    return sorted({*first, *layers, *(each.role for each in roster.overrides)})


def written(
    head: Head, entries: Iterable[Entry], editions: Mapping[str | None, Edition]
) -> bytes:
    """Return a calendar in iCalendar, the same for the same shifts."""
    from icalendar import Calendar  # heavy

    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Permanence//on call//EN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", head.title)
    calendar.add("x-wr-calname", head.title)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    unique = {entry.uid: entry for entry in entries}
    for entry in sorted(unique.values(), key=lambda each: (each.start, each.uid)):
        calendar.add_component(_event(head, entry, editions[entry.schedule]))
    return bytes(calendar.to_ical())


def _event(head: Head, entry: Entry, edition: Edition) -> "Event":
    from icalendar import Event  # heavy

    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", edition.sequence)
    event.add("dtstamp", edition.changed_at.astimezone(UTC))
    event.add("last-modified", edition.changed_at.astimezone(UTC))
    event.add("dtstart", entry.start.astimezone(UTC))
    event.add("dtend", entry.end.astimezone(UTC))
    event.add("summary", _summary(head, entry))
    event.add("transp", "TRANSPARENT")  # it does not keep anybody from meetings
    event.add("class", "PRIVATE")
    if head.url:
        event.add("url", _address(head.url, entry))
    return event


def _summary(head: Head, entry: Entry) -> str:
    if entry.schedule is None:
        return text_of(head.language, _WORDS, "absent")
    role = ""
    if entry.role != "primary":
        role = f" ({text_of(head.language, 'page.on_call.role', entry.role)})"
    if head.names is not None:
        people = ", ".join(head.names.get(each, each) for each in entry.people)
        return f"{entry.schedule}{role}: {people}"
    on_call = text_of(head.language, _WORDS, "on_call")
    return on_call.replace("{schedule}", f"{entry.schedule}{role}")


def _address(url: str, entry: Entry) -> str:
    if entry.schedule is None:
        return f"{url}/on-call/mine"
    return f"{url}/on-call/{entry.schedule}?from={entry.start.astimezone(UTC).date()}"
