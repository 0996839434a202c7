"""Looks into the log that only readers of it need: by type, by stream after a place."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from psycopg import Cursor

from shared.domain.identifiers import (
    escalation_stream,
    handover_stream,
    incident_stream,
    sla_stream,
)
from shared.eventlog.entry import Entry
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

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
# Apart, so that nobody looks for them along the whole log for the sake of their order.
_OF_STREAMS = f"""
WITH found AS MATERIALIZED ({SELECT_ROWS} WHERE originator_id = ANY(%s))
SELECT * FROM found WHERE notification_id > %s ORDER BY notification_id LIMIT %s
"""  # noqa: S608 # our own names
_AT = f"{SELECT_ROWS} WHERE notification_id = ANY(%s)"
_NEWEST = f"""
{SELECT_ROWS} WHERE originator_id = %s
ORDER BY originator_version DESC LIMIT 1
"""

_Cursor = Cursor[tuple[Any, ...]]


def streams_about(ref: str) -> Sequence[str]:
    """Return the names of all streams about an incident, its own first."""
    named = (incident_stream, sla_stream, escalation_stream, handover_stream)
    return [name(ref) for name in named]


def rows_of_types(
    cursor: _Cursor, between: tuple[int, int], types: Sequence[str] | None, limit: int
) -> list[Row]:
    """Return events after the first position up to the second, of all types if None."""
    given = None if types is None else list(types)
    return _rows(cursor, _OF_TYPES, (*between, given, given, limit))


def rows_of_stream(cursor: _Cursor, stream: str, after: int, limit: int) -> list[Row]:
    """Return events of a stream whose position is greater than `after`."""
    return _rows(cursor, _OF_STREAM, (stream, after, limit))


def rows_of_streams(
    cursor: _Cursor, streams: Sequence[str], after: int, limit: int
) -> list[Row]:
    """Return events of several streams after a position, in the order of the log."""
    return _rows(cursor, _OF_STREAMS, (list(streams), after, limit))


def all_about(log: EventLog, cursor: _Cursor, ref: str) -> list[Entry]:
    """Return what was told of an incident in any stream, in the order of the log."""
    entries = log.histories(cursor, streams_about(ref))
    return sorted(entries, key=attrgetter("position"))


def rows_at(cursor: _Cursor, positions: Sequence[int]) -> list[Row]:
    """Return the events at these positions, in no order."""
    return _rows(cursor, _AT, (list(positions),)) if positions else []


def newest_row(cursor: _Cursor, stream: str) -> Row | None:
    """Return the last event of a stream, None where there is no such stream."""
    return next(iter(_rows(cursor, _NEWEST, (stream,))), None)


def _rows(cursor: _Cursor, query: str, given: tuple[object, ...]) -> list[Row]:
    return [Row(*row) for row in cursor.execute(query, given, binary=True)]
