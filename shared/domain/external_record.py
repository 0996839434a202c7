"""The state of an external record, computed from the events of its stream; no rules.

Another system keeps the record, such as a configuration item or a release. The desk
knows what that system last told, and the incidents that are linked to it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from shared.domain import events
from shared.domain.events.event import Actor
from shared.domain.identifiers import ExternalRef, IncidentRef, added, removed
from shared.domain.incident import BrokenHistory

SOURCE = "source:"
"""How the name of an actor begins that is a source."""


@dataclass(frozen=True)
class ExternalRecord:
    """An external record after some of its events."""

    ref: ExternalRef
    name: str
    url: str | None
    state: str | None
    """Its state in the other system, None if it has not told any."""
    attributes: Mapping[str, str]
    put_at: datetime
    """When the other system last told something new."""
    put_by: Actor
    """Who told it: a source, or a person."""
    kept_by: Actor | None = None
    """The source that told of it last, None if only people did."""
    incidents: tuple[IncidentRef, ...] = ()
    """The incidents linked to it, in the order in which they were linked."""

    @property
    def status(self) -> str:
        """Its state in the other system; empty if it has not told any."""
        return self.state or ""

    @property
    def links(self) -> frozenset[tuple[Literal["record"], IncidentRef]]:
        """Its side of every link to an incident: relation and reference."""
        return frozenset(("record", each) for each in self.incidents)


def replay(history: Iterable[events.ExternalRecordEvent]) -> ExternalRecord | None:
    """Return the record after `history`, or None without events."""
    record = None
    for event in history:
        record = evolve(record, event)
    return record


def evolve(
    record: ExternalRecord | None, event: events.ExternalRecordEvent
) -> ExternalRecord:
    """Return the record after `event`. Never rejects a recorded event.

    Raises `BrokenHistory` if the other system has told nothing of it before.
    """
    if isinstance(event, events.ExternalRecordPut):
        incidents = record.incidents if record else ()
        return ExternalRecord(
            ref=event.record,
            name=event.name,
            url=event.url,
            state=event.state,
            attributes=event.attributes,
            put_at=event.at,
            put_by=event.by,
            kept_by=_keeper(record, event),
            incidents=incidents,
        )
    if record is None:
        raise BrokenHistory(f"{event.type} before {event.record} was put")
    match event:
        case events.ExternalRecordLinked(incident=incident):
            return replace(record, incidents=added(record.incidents, incident))
        case events.ExternalRecordUnlinked(incident=incident):
            return replace(record, incidents=removed(record.incidents, incident))
        case _:
            assert_never(event)


def _keeper(
    record: ExternalRecord | None, event: events.ExternalRecordPut
) -> Actor | None:
    """Return the source that keeps a record after a put: people keep none."""
    if event.by.startswith(SOURCE):
        return event.by
    return event.kept_by or (record.kept_by if record else None)


__all__ = ["ExternalRecord", "evolve", "replay"]
