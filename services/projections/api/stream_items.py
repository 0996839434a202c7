"""Events as the stream tells them: the place, and what a timeline shows but no words.

Nobody's words are in it, so one form will do for every caller. Who wants them asks for
the timeline, where a destroyed key is forgotten at once.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import AwareDatetime

from services.projections.api.answers import Answer
from services.projections.timeline.line import project
from shared.domain.events.event import Actor
from shared.domain.identifiers import IncidentRef, about, is_incident_ref
from shared.eventlog.epochs import ONLY_FIRST
from shared.eventlog.log import EventLog, Row


class StreamItem(Answer):
    """An event and its place; `actor`, `at` and `what` where it can be read here."""

    position: int
    stream: str
    version: int
    type: str
    incident: IncidentRef | None
    """The incident it is about; none for policies, problems and changes."""
    at: AwareDatetime | None
    """When it was decided."""
    recorded_at: AwareDatetime
    actor: Actor | None
    what: dict[str, Any] | None
    """Its other fields as a timeline shows them, without personal words."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event ready to be sent: what filters ask for, and its JSON."""

    id: str
    """What a client comes back with: the position, with its epoch after the first."""
    position: int
    type: str
    incident: IncidentRef | None
    json: str


def told(log: EventLog, rows: Sequence[Row]) -> list[Told]:
    """Return rows ready to be sent. Blocks: keys may have to be fetched."""
    items = [_item(log, row) for row in rows]
    epochs = log.epochs() if items else ONLY_FIRST
    return [
        Told(
            epochs.id_at(item.position),
            item.position,
            item.type,
            item.incident,
            item.model_dump_json(),
        )
        for item in items
    ]


def _item(log: EventLog, row: Row) -> StreamItem:
    at = actor = what = None
    # A newer service wrote it, or it is damaged: that it came is still true, and one
    # event must not end everybody's stream.
    with suppress(Exception):
        entry = log.entry(row)
        line = project(entry)
        at, actor = entry.event.at, entry.event.by
        what = line.what if line else None
    ref = about(row.stream)
    return StreamItem(
        position=row.position,
        stream=row.stream,
        version=row.version,
        type=row.type,
        incident=ref if ref and is_incident_ref(ref) else None,
        at=at,
        recorded_at=row.recorded_at,
        actor=actor,
        what=what,
    )
