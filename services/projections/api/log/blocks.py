"""Events as blocks of a stream, encoded once for all who hear of them.

The events contain no personal text, so one form serves every caller. The text is in
the timeline, which no longer shows it once its key is destroyed.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import AwareDatetime

from services.projections.api.answers import Answer
from services.projections.sight import Sight, masked
from services.projections.timeline.entry import project
from shared.domain.events.event import Actor
from shared.domain.identifiers import IncidentRef, about, is_incident_ref
from shared.eventlog.epochs import ONLY_FIRST
from shared.eventlog.log import EventLog, Row


class StreamItem(Answer):
    """An event and its position; `actor`, `at` and `what` if it could be decoded."""

    position: int
    stream: str
    version: int
    type: str
    incident: IncidentRef | None
    """The incident it is about; null for policies, problems and changes."""
    at: AwareDatetime | None
    """When it was decided."""
    recorded_at: AwareDatetime
    actor: Actor | None
    what: dict[str, Any] | None
    """Its other fields as in the timeline, without personal text."""


@dataclass(frozen=True, slots=True)
class StreamedEvent:
    """An event ready to be sent: the fields that filters use, and its blocks."""

    position: int
    type: str
    incident: IncidentRef | None
    block: bytes
    """What is sent to those who see everything."""
    masked_block: bytes
    """What is sent to others: without references of other records."""

    def for_sight(self, sight: Sight) -> bytes:
        """Return what is sent to a listener."""
        return self.block if sight.within is None else self.masked_block


def block(
    *, id_: str, type_: str = "", data: str | None = None, retry: int | None = None
) -> bytes:
    """Return a block of a stream of server-sent events; `id_` is for a reconnect."""
    lines = [
        *([f"event: {type_}"] if type_ else []),
        *([] if data is None else [f"data: {data}"]),
        f"id: {id_}",
        *([] if retry is None else [f"retry: {retry}"]),
    ]
    # A field ends with its line: nobody writes the next one into it.
    plain = (line.replace("\r", " ").replace("\n", " ") for line in lines)
    return ("\n".join(plain) + "\n\n").encode()


def streamed(log: EventLog, rows: Sequence[Row]) -> list[StreamedEvent]:
    """Return rows ready to be sent. Blocks: keys may have to be fetched."""
    items = [_item(log, row) for row in rows]
    epochs = log.epochs() if items else ONLY_FIRST
    return [_encoded(item, epochs.id_at(item.position)) for item in items]


def _encoded(item: StreamItem, id_: str) -> StreamedEvent:
    """Return an event with its blocks; `id_`: position, and epoch unless the first."""
    whole = item.model_dump_json()
    part = masked(whole, frozenset([item.incident] if item.incident else []))
    block_ = block(id_=id_, type_=item.type, data=whole)
    return StreamedEvent(
        item.position,
        item.type,
        item.incident,
        block_,
        block_ if part == whole else block(id_=id_, type_=item.type, data=part),
    )


def _item(log: EventLog, row: Row) -> StreamItem:
    at = actor = what = None
    # A newer service wrote it, or it is damaged. It is still reported: one event must
    # not end every stream.
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
