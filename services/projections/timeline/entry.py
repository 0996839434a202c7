"""One event about an incident, of any stream, as the timeline stores it.

Personal text remains in the log: `what` contains none, and reading a line decrypts it
there. So destroying a key takes effect here at once, and a rebuild decrypts nothing.
"""

from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from shared.domain.events.event import Actor, Event
from shared.domain.identifiers import IncidentRef, about
from shared.eventlog.codec import personal_fields
from shared.eventlog.entry import Entry

_ENVELOPE = frozenset({"type", "at", "by", "whose", "incident"})


class TimelineEntry(NamedTuple):
    """What happened (`kind`, `what`), by whom, when, and when it was recorded.

    `kind` is the event's type; `what` its other fields as JSON, without personal text.
    `version` is that of its own stream: incident, promises or escalation.
    """

    incident: IncidentRef
    position: int
    version: int
    at: datetime
    recorded_at: datetime
    actor: Actor
    kind: str
    what: dict[str, Any]


def project(entry: Entry) -> TimelineEntry | None:
    """Return the line of an entry, None if it does not concern an incident."""
    incident = about(entry.stream)
    if incident is None:
        return None
    event = entry.event
    return TimelineEntry(
        incident=incident,
        position=entry.position,
        version=entry.version,
        at=event.at,
        recorded_at=entry.recorded_at,
        actor=event.by,
        kind=entry.type,
        what=plain_fields(event),
    )


def plain_fields(event: Event) -> dict[str, Any]:
    """Return the fields of an event as JSON, without personal text."""
    left_out = _left_out(type(event))
    return event.model_dump(mode="json", exclude_none=True, exclude=left_out)


@cache
def _left_out(kind: type[Event]) -> set[str]:
    return {*_ENVELOPE, *personal_fields(kind)}
