"""The table of a service's cases: locks, reads and writes many at once.

`beyond` finds decisions that the log contains but the table does not, because the table
was emptied for a rebuild or restored from an earlier state of the database.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from shared.database.cursors import Cursors
from shared.eventlog.entry import Entry
from shared.eventlog.log import SELECT_ROWS, EventLog, Row
from shared.eventlog.readers.parked_commands import skipped_among
from shared.eventlog.readers.position import Bookmark

_LOCK = """
SELECT incident, versions, state FROM {schema}.cases
WHERE incident = ANY(%s) ORDER BY incident FOR UPDATE
"""
# SKIP LOCKED: a second process takes other cases or none, and does not wait.
_CLAIM = """
SELECT incident, versions, state FROM {schema}.cases
WHERE next_at <= %s ORDER BY next_at, incident LIMIT %s FOR UPDATE SKIP LOCKED
"""
_SAVE = """
INSERT INTO {schema}.cases (incident, next_at, versions, state)
SELECT * FROM unnest(%b::text[], %b::timestamptz[], %b::jsonb[], %b::jsonb[])
ON CONFLICT (incident) DO UPDATE SET
    next_at = excluded.next_at, versions = excluded.versions, state = excluded.state
"""
_VERSIONS = "SELECT incident, versions FROM {schema}.cases WHERE incident = ANY(%s)"
_POSTPONE = "UPDATE {schema}.cases SET next_at = %s WHERE incident = ANY(%s)"
_NEXT = "SELECT min(next_at) FROM {schema}.cases WHERE next_at IS NOT NULL"
_ARMED = "SELECT count(*) FROM {schema}.cases WHERE next_at IS NOT NULL"


class StoredCase(NamedTuple):
    """A case as stored."""

    incident: str
    versions: dict[str, int]
    state: dict[str, Any]


class CaseUpdate(NamedTuple):
    """A case to store."""

    incident: str
    next_at: datetime | None
    versions: dict[str, int]
    state: bytes


def lock(cursor: Cursors, schema: str, incidents: Sequence[str]) -> list[StoredCase]:
    """Return these cases in order of incident, locked until the transaction ends."""
    rows = cursor.execute(_LOCK.format(schema=schema), (sorted(incidents),))
    return [StoredCase(*row) for row in rows]


def versions_of(
    cursor: Cursors, schema: str, incidents: Collection[str]
) -> dict[str, dict[str, int]]:
    """Return up to which versions these cases contain each stream; lock nothing."""
    rows = cursor.execute(_VERSIONS.format(schema=schema), (sorted(incidents),))
    return dict(rows.fetchall())


def claim(cursor: Cursors, schema: str, now: datetime, limit: int) -> list[StoredCase]:
    """Lock and return up to `limit` due cases that nobody else has locked."""
    rows = cursor.execute(_CLAIM.format(schema=schema), (now, limit))
    return [StoredCase(*row) for row in rows]


def save(cursor: Cursors, schema: str, cases: Iterable[CaseUpdate]) -> None:
    """Write cases; their rows are locked by this transaction, or new."""
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
    """Set the next due instant of these cases, which this transaction has locked."""
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


_BEYOND = (
    SELECT_ROWS
    + "JOIN unnest(%s::text[], %s::bigint[]) AS held (stream, version)"
    + " ON originator_id = stream AND originator_version > version"
)


class Beyond(NamedTuple):
    """Decisions that cases do not contain; those the reader was told to skip apart."""

    entries: Sequence[Entry]
    skipped: Sequence[Row]


def beyond(
    log: EventLog,
    cursor: Cursors,
    bookmark: Bookmark,
    held: Mapping[str, int],
) -> Beyond:
    """Return the decisions in these streams after the given versions.

    Raises like `EventLog.entries` for one that cannot be read and was not skipped: it
    may be of a later version, and must not be decided once more.
    """
    streams = (list(held), list(held.values()))
    found = cursor.execute(_BEYOND, streams, binary=True).fetchall()
    if not found:
        return Beyond([], [])
    rows = [Row(*row) for row in found]
    skipped = skipped_among(cursor, bookmark, rows)
    return Beyond(
        log.entries([row for row in rows if row.position not in skipped]),
        [row for row in rows if row.position in skipped],
    )
