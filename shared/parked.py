"""What readers have set aside, and how it is applied after all.

An event is parked when applying it failed; the later ones of its stream wait behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor

from shared.applying import Apply
from shared.event_log import EventLog, away, is_unavailable
from shared.telemetry import wordless
from shared.tracking import Bookmark

_LIST = """
SELECT stream, min(position), count(*), (array_agg(error ORDER BY position))[1],
       min(parked_at)
FROM {schema}.parked WHERE reader = %s GROUP BY stream ORDER BY min(position) LIMIT %s
"""
_POSITIONS = """
SELECT position FROM {schema}.parked WHERE reader = %s AND stream = %s
"""
_REMOVE = "DELETE FROM {schema}.parked WHERE reader = %s AND stream = %s"


@dataclass(frozen=True, slots=True)
class ParkedStream:
    """A stream set aside: since `position`, for `error`; `events` wait."""

    stream: str
    position: int
    events: int
    error: str
    parked_at: datetime


class StillPoison(Exception):
    """The stream cannot be applied yet; its events stay parked."""


def parked_streams(
    cursor: Cursor[tuple[Any, ...]], bookmark: Bookmark, limit: int
) -> Sequence[ParkedStream]:
    """Return up to `limit` parked streams, the longest parked first."""
    query = _LIST.format(schema=bookmark.schema)
    rows = cursor.execute(query, (bookmark.reader, limit)).fetchall()
    return [ParkedStream(*row) for row in rows]


def retry(log: EventLog, bookmark: Bookmark, apply: Apply, stream: str) -> int:
    """Apply the parked events of `stream` in order; return how many there were.

    In one transaction with their removal, while the reader waits: what it applies
    next comes after them. Raises `StillPoison`, and `Unavailable`. Blocks.
    """
    values = (bookmark.reader, stream)
    with log.transaction() as cursor:
        bookmark.hold(cursor)
        query = _POSITIONS.format(schema=bookmark.schema)
        positions = {row[0] for row in cursor.execute(query, values).fetchall()}
        if not positions:
            return 0
        cursor.execute(_REMOVE.format(schema=bookmark.schema), values)
        bookmark.count(cursor)
        try:
            history = log.histories(cursor, [stream])
            apply(cursor, [e for e in history if e.position in positions])
        except Exception as error:
            if is_unavailable(error):
                raise away(error) from error
            raise StillPoison(wordless(error)) from error
    return len(positions)
