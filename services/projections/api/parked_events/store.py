"""Reads what the readers of all services have parked and skipped, and what was asked.

The first attempt is the one after which an event was parked; the others are the retries
that were answered since then.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from services.projections.generations import find_live
from services.projections.read_models import MODELS
from shared.database.cursors import Cursors
from shared.eventlog.readers.parked_commands import READ_MODELS
from shared.eventlog.readers.position import Bookmark

BOOKMARKS: Mapping[str, Bookmark] = {
    "sla_watcher": Bookmark("sla", "sla_watcher"),
    "escalation": Bookmark("escalation", "escalation"),
    "closing": Bookmark("intake", "closing"),
}
"""The readers of other services, which have one schema each."""
READERS = (*BOOKMARKS, *MODELS)
EVENTS_MAX = 100
REQUESTS_MAX = 50

_STREAMS = """
SELECT %(reader)s, first.stream, first.position, first.events, first.error,
       first.parked_at, 1 + tried.count, coalesce(tried.last_at, first.parked_at),
       tried.error, coalesce(tried.is_open, false)
FROM (
    SELECT stream, min(position) AS position, count(*) AS events,
           (array_agg(error ORDER BY position))[1] AS error,
           (array_agg(parked_at ORDER BY position))[1] AS parked_at
    FROM {schema}.parked
    WHERE reader = %(reader)s AND (%(stream)s::text IS NULL OR stream = %(stream)s)
    GROUP BY stream
    HAVING (min(position), %(reader)s::text) > (%(position)s, %(after)s::text)
    ORDER BY min(position) LIMIT %(limit)s
) AS first
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE outcome = 'still parked') AS count,
           max(answered_at) AS last_at, bool_or(answered_at IS NULL) AS is_open,
           (array_agg(error ORDER BY request_id DESC)
            FILTER (WHERE error IS NOT NULL))[1] AS error
    FROM {home}.parked_requests
    WHERE reader = %(reader)s AND stream = first.stream
      AND requested_at >= first.parked_at
) AS tried
ORDER BY first.position
"""
_EVENTS = """
SELECT position, error, parked_at FROM {schema}.parked
WHERE reader = %s AND stream = %s ORDER BY position LIMIT %s
"""
_REQUESTS = """
SELECT action, requested_by, requested_at, reason, answered_at, outcome,
       coalesce(skipped, 0), coalesce(applied, 0), error
FROM {home}.parked_requests WHERE reader = %s AND stream = %s
ORDER BY request_id DESC LIMIT %s
"""
_SKIPPED = """
SELECT reader, stream, position, error, parked_at, skipped_at, skipped_by, reason
FROM {home}.skipped
WHERE reader = ANY(%(readers)s)
  AND (skipped_at, reader, position) < (%(at)s, %(after)s::text, %(position)s)
ORDER BY skipped_at DESC, reader DESC, position DESC LIMIT %(limit)s
"""


class ParkedStream(NamedTuple):
    """A stream that a reader has parked, and the attempts to apply it."""

    reader: str
    stream: str
    position: int
    events: int
    error: str
    parked_at: datetime
    attempts: int
    last_attempt_at: datetime
    last_error: str | None
    """Why the last retry failed; None if there was none."""
    requested: bool
    """Whether the reader has not answered a request about it yet."""


class ParkedEvent(NamedTuple):
    """A parked event, and its error: perhaps only that it waits behind another."""

    position: int
    error: str
    parked_at: datetime


class Request(NamedTuple):
    """What somebody asked a reader about a stream, and its answer."""

    action: str
    by: str
    requested_at: datetime
    reason: str | None
    answered_at: datetime | None
    outcome: str | None
    skipped: int
    applied: int
    error: str | None


class SkippedEvent(NamedTuple):
    """An event that a reader never applies, by whom it was skipped, and why."""

    reader: str
    stream: str
    position: int
    error: str
    parked_at: datetime
    skipped_at: datetime
    skipped_by: str
    reason: str


class Place(NamedTuple):
    """Where a page of parked streams begins: after this position of this reader."""

    position: int = 0
    reader: str = ""


class SkippedPlace(NamedTuple):
    """Where a page of skipped events begins: before this one."""

    at: datetime
    reader: str
    position: int


def parked_streams(
    cursor: Cursors, readers: Sequence[str], after: Place, limit: int
) -> list[ParkedStream]:
    """Return parked streams of some readers in the order of the log."""
    found = [
        stream
        for bookmark in _bookmarks(cursor, readers)
        for stream in _streams(cursor, bookmark, after, limit)
    ]
    return sorted(found, key=attrgetter("position", "reader"))[:limit]


def parked_stream(cursor: Cursors, reader: str, stream: str) -> ParkedStream | None:
    """Return one stream, None if the reader has not parked it."""
    for bookmark in _bookmarks(cursor, [reader]):
        found = _streams(cursor, bookmark, Place(), 1, stream)
        return found[0] if found else None
    return None


def parked_events(cursor: Cursors, reader: str, stream: str) -> list[ParkedEvent]:
    """Return the first `EVENTS_MAX` parked events of a stream."""
    return [
        ParkedEvent(*row)
        for bookmark in _bookmarks(cursor, [reader])
        for row in cursor.execute(
            _EVENTS.format(schema=bookmark.schema), (reader, stream, EVENTS_MAX)
        ).fetchall()
    ]


def requests(cursor: Cursors, reader: str, stream: str) -> list[Request]:
    """Return what was asked about a stream, the newest first."""
    query = _REQUESTS.format(home=_home(reader))
    rows = cursor.execute(query, (reader, stream, REQUESTS_MAX)).fetchall()
    return [Request(*row) for row in rows]


def skipped_events(
    cursor: Cursors, readers: Sequence[str], before: SkippedPlace, limit: int
) -> list[SkippedEvent]:
    """Return skipped events of some readers, the newest first."""
    values = {**before._asdict(), "after": before.reader, "limit": limit}
    found = [
        SkippedEvent(*row)
        for home in sorted({_home(reader) for reader in readers})
        for row in cursor.execute(
            _SKIPPED.format(home=home), values | {"readers": list(readers)}
        ).fetchall()
    ]
    newest = sorted(
        found, key=attrgetter("skipped_at", "reader", "position"), reverse=True
    )
    return newest[:limit]


def _streams(
    cursor: Cursors,
    bookmark: Bookmark,
    after: Place,
    limit: int,
    stream: str | None = None,
) -> list[ParkedStream]:
    home = _home(bookmark.reader)
    query = _STREAMS.format(schema=bookmark.schema, home=home)
    values = {
        "reader": bookmark.reader,
        "stream": stream,
        "position": after.position,
        "after": after.reader,
        "limit": limit,
    }
    rows = cursor.execute(query, values).fetchall()
    return [ParkedStream(*row) for row in rows]


def _bookmarks(cursor: Cursors, readers: Sequence[str]) -> Iterator[Bookmark]:
    """Yield where each reader keeps its parked events; not one that was never built."""
    for reader in readers:
        if reader in BOOKMARKS:
            yield BOOKMARKS[reader]
        elif (found := find_live(cursor, reader)) is not None:
            yield Bookmark(found.schema, reader)


def _home(reader: str) -> str:
    return BOOKMARKS[reader].schema if reader in BOOKMARKS else READ_MODELS
