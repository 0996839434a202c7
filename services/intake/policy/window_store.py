"""Reads and records announced maintenance in the event log."""

from collections.abc import Callable
from uuid import UUID

from services.intake.attempts import append, decided, recorded_before
from services.intake.policy.windows import Book, book
from shared.database.cursors import Cursors
from shared.domain.events import MaintenanceEvent
from shared.domain.events.administration import (
    MAINTENANCE_STREAM,
    MaintenanceAnnounced,
    MaintenanceCancelled,
)
from shared.domain.refusal import Refused
from shared.eventlog.append import AppendUnit
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog

Decide = Callable[[Cursors, Book, int], MaintenanceEvent | None]
"""Decides on an event, given all windows and the number of the next event.

Raises `Refused`.
"""
Note = Callable[[Cursors, Refused], None]
"""Keeps a refusal."""


def read_book(log: EventLog, cursor: Cursors) -> Book:
    """Return all announced windows, as seen by the transaction."""
    return book(_events(log.histories(cursor, [MAINTENANCE_STREAM])))


def book_now(log: EventLog) -> Book:
    """Return all windows announced until now."""
    with log.transaction() as cursor:
        return read_book(log, cursor)


def record(
    log: EventLog, decide: Decide, command_id: UUID | None, digest: bytes, note: Note
) -> Entry | None:
    """Append the decided event; None if it is done already.

    A repeated command returns its recorded event. Raises `HttpError`: if it is refused,
    which `note` keeps, and 422 if the command id was used for something else.
    """
    position = decided(
        log, lambda cursor: _attempt(log, cursor, decide, command_id, digest), note
    )
    return None if position is None else log.since(position - 1, 1)[0]


def _attempt(
    log: EventLog,
    cursor: Cursors,
    decide: Decide,
    command_id: UUID | None,
    digest: bytes,
) -> int | None:
    """Return the position of the event, None if it is done already."""
    before = recorded_before(cursor, command_id, digest)
    if before is not None:
        return before.start
    history = log.histories(cursor, [MAINTENANCE_STREAM])
    number = len(history) + 1
    event = decide(cursor, book(_events(history)), number)
    if event is None:
        return None
    stored = log.stored(MAINTENANCE_STREAM, number, event, command_id)
    return append(log, cursor, AppendUnit((stored,), command_id, digest)).start


def _events(history: list[Entry]) -> list[MaintenanceEvent]:
    return [
        entry.event
        for entry in history
        if isinstance(entry.event, MaintenanceAnnounced | MaintenanceCancelled)
    ]
