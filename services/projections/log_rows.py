"""Looks into the log that only readers of it need: by type, by stream after a place."""

from collections.abc import Sequence
from typing import Any

from psycopg import Cursor

from shared.event_log import SELECT_ROWS, Row

_OF_TYPES = f"""
{SELECT_ROWS}
WHERE notification_id > %s AND notification_id <= %s
  AND (%s::text[] IS NULL OR topic = ANY(%s::text[]))
ORDER BY notification_id LIMIT %s
"""
_OF_STREAM = f"""
{SELECT_ROWS}
WHERE originator_id = %s AND notification_id > %s
ORDER BY originator_version LIMIT %s
"""
_AT = f"{SELECT_ROWS} WHERE notification_id = ANY(%s)"
_NEWEST = f"""
{SELECT_ROWS} WHERE originator_id = %s
ORDER BY originator_version DESC LIMIT 1
"""

_Cursor = Cursor[tuple[Any, ...]]


def rows_of_types(
    cursor: _Cursor, between: tuple[int, int], types: Sequence[str] | None, limit: int
) -> list[Row]:
    """Return events after the first position up to the second, of all types if None."""
    given = None if types is None else list(types)
    return _rows(cursor, _OF_TYPES, (*between, given, given, limit))


def rows_of_stream(cursor: _Cursor, stream: str, after: int, limit: int) -> list[Row]:
    """Return events of a stream whose position is greater than `after`."""
    return _rows(cursor, _OF_STREAM, (stream, after, limit))


def rows_at(cursor: _Cursor, positions: Sequence[int]) -> list[Row]:
    """Return the events at these positions, in no order."""
    return _rows(cursor, _AT, (list(positions),)) if positions else []


def newest_row(cursor: _Cursor, stream: str) -> Row | None:
    """Return the last event of a stream, None where there is no such stream."""
    return next(iter(_rows(cursor, _NEWEST, (stream,))), None)


def _rows(cursor: _Cursor, query: str, given: tuple[object, ...]) -> list[Row]:
    return [Row(*row) for row in cursor.execute(query, given, binary=True)]
