"""The parked events of readers, and how they are applied or skipped later.

An event is parked if applying it failed; later events of its stream wait behind it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter

from shared.database.copied_rows import copied_rows
from shared.database.cursors import Cursors
from shared.eventlog.errors import StaleVersion, away, is_cancelled, is_unavailable
from shared.eventlog.log import SELECT_ROWS, EventLog, Row
from shared.eventlog.readers.position import ERROR_MAX, Bookmark, Overtaken
from shared.eventlog.readers.transaction import Apply
from shared.observability.telemetry import wordless

_PARKED = {
    "stream": "text",
    "position": "int8",
    "error": "text",
    "parked_at": "timestamptz",
    "reader": "text",
}
_EVENTS = """
SELECT position, stream, error, parked_at FROM {schema}.parked
WHERE reader = %s AND stream = ANY(%s) ORDER BY position
"""
_REMOVE = """
DELETE FROM {schema}.parked WHERE reader = %s AND position = ANY(%s)
"""
_FAILED_AGAIN = """
UPDATE {schema}.parked SET error = %s WHERE reader = %s AND position = %s
"""
_ROWS = SELECT_ROWS + "WHERE notification_id = ANY(%s) ORDER BY notification_id"

PassOver = Callable[[Cursors, Sequence[Row]], None]
"""Marks events as read without applying them, so that nothing waits for them.

Called before anything else in the same transaction is applied, also without events.
Raises `Overtaken` if another process has to apply events.
"""


@dataclass(frozen=True, slots=True)
class ParkedStream:
    """A parked stream: since `position`, because of `error`; `events` wait."""

    stream: str
    position: int
    events: int
    error: str
    parked_at: datetime


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """A parked event; if it only waits behind another one, `error` says so."""

    position: int
    stream: str
    error: str
    parked_at: datetime


class StillPoison(Exception):
    """The stream cannot be applied yet; its events stay parked."""


def parked_streams(
    cursor: Cursors, bookmark: Bookmark, limit: int
) -> Sequence[ParkedStream]:
    """Return up to `limit` parked streams, the longest parked first.

    Runs nothing of the role that owns the tables. Raises `ReplacedTable`.
    """
    rows = copied_rows(cursor, bookmark.schema, "parked", _PARKED)
    found: dict[str, ParkedStream] = {}
    for stream, position, error, parked_at, reader in rows:
        if reader == bookmark.reader:
            event = ParkedStream(stream, position, 1, error, parked_at)
            found[stream] = _joined(found[stream], event) if stream in found else event
    return sorted(found.values(), key=attrgetter("position"))[:limit]


def _joined(a: ParkedStream, b: ParkedStream) -> ParkedStream:
    first, since = min(a, b, key=attrgetter("position")), min(a.parked_at, b.parked_at)
    return replace(first, events=a.events + b.events, parked_at=since)


def parked_events(
    cursor: Cursors, bookmark: Bookmark, stream: str
) -> Sequence[ParkedEvent]:
    """Return the parked events of a stream in order; the reader is locked meanwhile.

    Includes those of other streams that wait for them, or for which they wait.
    """
    bookmark.hold(cursor)
    query = _EVENTS.format(schema=bookmark.schema)
    values = (bookmark.reader, list(bookmark.together(stream)))
    rows = cursor.execute(query, values).fetchall()
    return [ParkedEvent(*row) for row in rows]


def retry(log: EventLog, bookmark: Bookmark, apply: Apply, stream: str) -> int:
    """Apply the parked events of `stream` in order; return how many there were.

    In one transaction with their removal, while the reader waits: it continues after
    them. Raises `StillPoison` and `Unavailable`. Blocks.
    """
    with log.transaction() as cursor:
        events = parked_events(cursor, bookmark, stream)
        if events:
            apply_parked(log, cursor, bookmark, apply, events)
    return len(events)


def apply_parked(
    log: EventLog,
    cursor: Cursors,
    bookmark: Bookmark,
    apply: Apply,
    events: Sequence[ParkedEvent],
) -> None:
    """Remove `events` and apply them, as the last statement of the transaction.

    All or nothing: raises `StillPoison` without a change, and `Unavailable`.
    """
    try:
        with log.savepoint(cursor, "parked"):
            rows = rows_of(cursor, events)
            remove(cursor, bookmark, events)
            apply(cursor, log.entries(rows))
    except (StaleVersion, Overtaken):
        raise  # not the event's fault: a retry or another process will succeed
    except Exception as error:
        # If cancelled, the events take too long, and somebody waits for the answer.
        if is_unavailable(error) and not is_cancelled(error):
            raise away(error) from error
        raise StillPoison(wordless(error)) from error


def remove(cursor: Cursors, bookmark: Bookmark, events: Sequence[ParkedEvent]) -> None:
    """Remove `events` from the parked ones, and update the number of parked streams."""
    positions = [event.position for event in events]
    query = _REMOVE.format(schema=bookmark.schema)
    cursor.execute(query, (bookmark.reader, positions))
    bookmark.count(cursor)


def failed_again(
    cursor: Cursors, bookmark: Bookmark, event: ParkedEvent, error: str
) -> None:
    """Record the error of an event that until now only waited behind another one."""
    query = _FAILED_AGAIN.format(schema=bookmark.schema)
    cursor.execute(query, (error[:ERROR_MAX], bookmark.reader, event.position))


def rows_of(cursor: Cursors, events: Sequence[ParkedEvent]) -> Sequence[Row]:
    """Return `events` as stored. Raises `LookupError` if the log lacks them."""
    positions = [event.position for event in events]
    found = cursor.execute(_ROWS, (positions,), binary=True).fetchall()
    rows = [Row(*row) for row in found]
    if [(r.position, r.stream) for r in rows] != [
        (e.position, e.stream) for e in events
    ]:
        raise LookupError("the log no longer holds the parked events: it is another")
    return rows
