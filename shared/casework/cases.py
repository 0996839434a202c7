"""The table of a service's cases: locked, read and written in one go."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from psycopg import Cursor

Cursors = Cursor[tuple[Any, ...]]

_LOCK = """
SELECT incident, versions, state FROM {schema}.cases
WHERE incident = ANY(%s) ORDER BY incident FOR UPDATE
"""
# Whoever comes second takes others, or none: no watcher waits for another.
_CLAIM = """
SELECT incident, versions, state FROM {schema}.cases
WHERE next_at <= %s ORDER BY next_at, incident LIMIT %s FOR UPDATE SKIP LOCKED
"""
_SAVE = """
INSERT INTO {schema}.cases (incident, next_at, versions, state)
SELECT * FROM unnest(%s::text[], %s::timestamptz[], %s::jsonb[], %s::jsonb[])
ON CONFLICT (incident) DO UPDATE SET
    next_at = excluded.next_at, versions = excluded.versions, state = excluded.state
"""
_POSTPONE = "UPDATE {schema}.cases SET next_at = %s WHERE incident = ANY(%s)"
_NEXT = "SELECT min(next_at) FROM {schema}.cases WHERE next_at IS NOT NULL"
_ARMED = "SELECT count(*) FROM {schema}.cases WHERE next_at IS NOT NULL"


class Held(NamedTuple):
    """A case as stored."""

    incident: str
    versions: dict[str, int]
    state: dict[str, Any]


class Saved(NamedTuple):
    """A case to be stored."""

    incident: str
    next_at: datetime | None
    versions: dict[str, int]
    state: bytes


def lock(cursor: Cursors, schema: str, incidents: Sequence[str]) -> list[Held]:
    """Return these cases, held until the transaction ends, in order of incident."""
    rows = cursor.execute(_LOCK.format(schema=schema), (sorted(incidents),))
    return [Held(*row) for row in rows]


def claim(cursor: Cursors, schema: str, now: datetime, limit: int) -> list[Held]:
    """Return up to `limit` cases that are due and that nobody holds, held."""
    rows = cursor.execute(_CLAIM.format(schema=schema), (now, limit))
    return [Held(*row) for row in rows]


def save(cursor: Cursors, schema: str, cases: Iterable[Saved]) -> None:
    """Write cases; their rows are held by this transaction, or new."""
    rows = sorted(cases)
    if rows:
        columns = (
            [row.incident for row in rows],
            [row.next_at for row in rows],
            [orjson.dumps(row.versions).decode() for row in rows],
            [row.state.decode() for row in rows],
        )
        cursor.execute(_SAVE.format(schema=schema), columns)


def postpone(
    cursor: Cursors, schema: str, incidents: Sequence[str], until: datetime
) -> None:
    """Look at these cases, whose rows are held by this transaction, only then."""
    if incidents:
        cursor.execute(_POSTPONE.format(schema=schema), (until, list(incidents)))


def next_due(cursor: Cursors, schema: str) -> datetime | None:
    """Return the earliest instant at which a case is due."""
    row = cursor.execute(_NEXT.format(schema=schema)).fetchone()
    return row[0] if row else None


def armed(cursor: Cursors, schema: str) -> int:
    """Return how many cases wait for an instant."""
    row = cursor.execute(_ARMED.format(schema=schema)).fetchone()
    return int(row[0]) if row else 0
