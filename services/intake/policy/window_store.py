"""Reads and records announced maintenance in the event log."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from psycopg import Cursor

from services.intake.attempts import too_busy
from services.intake.policy.windows import Book, book
from shared.commands.refusals import misused
from shared.domain.events import MaintenanceEvent
from shared.domain.events.administration import (
    MAINTENANCE_STREAM,
    MaintenanceAnnounced,
    MaintenanceCancelled,
)
from shared.eventlog.append import (
    AppendUnit,
    CommandIdReused,
    Recorded,
    Repeated,
    Stale,
)
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog

ATTEMPTS_MAX = 20
"""How often an announcement is decided again after conflicts."""

Decide = Callable[[Book, int], MaintenanceEvent | None]
"""Decides on an event, given all windows and the number of the next event."""


def read_book(log: EventLog, cursor: Cursor[tuple[Any, ...]]) -> Book:
    """Return all announced windows, as seen by the transaction."""
    return book(_events(log.histories(cursor, [MAINTENANCE_STREAM])))


def book_now(log: EventLog) -> Book:
    """Return all windows announced until now."""
    with log.transaction() as cursor:
        return read_book(log, cursor)


def record(
    log: EventLog, decide: Decide, command_id: UUID | None, digest: bytes
) -> Entry | None:
    """Append the decided event; None if it is done already. Raises `Refused`.

    A repeated command returns its recorded event; raises `HttpError` 422 if the command
    id was used for something else.
    """
    for _ in range(ATTEMPTS_MAX):
        history = log.history(MAINTENANCE_STREAM)
        number = len(history) + 1
        event = decide(book(_events(history)), number)
        if event is None:
            return None
        stored = log.stored(MAINTENANCE_STREAM, number, event, command_id)
        with log.transaction() as cursor:
            member = AppendUnit((stored,), command_id, digest)
            (outcome,) = log.append(cursor, [member])
        match outcome:
            case Recorded(first=first) | Repeated(first=first):
                return log.since(first - 1, 1)[0]
            case CommandIdReused():
                raise misused()
            case Stale():
                continue
    raise too_busy()


def _events(history: list[Entry]) -> list[MaintenanceEvent]:
    return [
        entry.event
        for entry in history
        if isinstance(entry.event, MaintenanceAnnounced | MaintenanceCancelled)
    ]
