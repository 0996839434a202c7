"""Reads and records what other systems told of a record, in the event log."""

from collections.abc import Callable
from dataclasses import dataclass

from services.intake.attempts import append, decided, require_version
from services.intake.records.store import readable, replayed_records
from shared.database.cursors import Cursors
from shared.domain.events.external_record import ExternalRecordPut
from shared.domain.external_record import ExternalRecord
from shared.domain.identifiers import external_stream
from shared.domain.refusal import Refused
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog

Decide = Callable[[ExternalRecord | None], ExternalRecordPut | None]
"""Decides on an event, given what is known of the record. Raises `Refused`."""
Note = Callable[[Cursors, Refused], None]
"""Keeps a refusal."""


@dataclass(frozen=True, slots=True)
class Put:
    """The version of the record, and the event's position; None if nothing was new."""

    version: int
    position: int | None = None
    is_new: bool = False


def record(
    log: EventLog, ref: str, if_match: int | None, decide: Decide, note: Note
) -> Put:
    """Append the decided event to the stream of a record, unless nothing is new.

    `if_match` is the version that the record must have, 0 for a new one; None: any.
    Raises `HttpError`: if it is refused, which `note` keeps, 412 if the record has
    another version, 503 if it cannot be read at present.
    """
    return decided(
        log, lambda cursor: _attempt(log, cursor, ref, if_match, decide), note
    )


def _attempt(
    log: EventLog, cursor: Cursors, ref: str, if_match: int | None, decide: Decide
) -> Put:
    held = readable(replayed_records(log, cursor, [ref]), ref)
    require_version(if_match, held.version)
    known = held.record if isinstance(held.record, ExternalRecord) else None
    event = decide(known)
    if event is None:
        return Put(held.version)
    version = held.version + 1
    stored = log.stored(external_stream(ref), version, event)
    (position,) = append(log, cursor, AppendUnit((stored,)))
    return Put(version, position, is_new=known is None)
