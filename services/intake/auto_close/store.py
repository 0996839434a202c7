"""The table of the silences that are waited for, and when each has lasted enough."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg import Cursor

from services.intake.auto_close.rules import Silence

Cursors = Cursor[tuple[Any, ...]]

_KNOWN = "SELECT incident FROM intake.silences WHERE incident = ANY(%s)"
_KEEP = """
INSERT INTO intake.silences (incident, cycle, due_at)
SELECT * FROM unnest(%s::text[], %s::int[], %s::timestamptz[])
ON CONFLICT (incident) DO UPDATE SET cycle = excluded.cycle, due_at = excluded.due_at
"""
_DROP = "DELETE FROM intake.silences WHERE incident = ANY(%s)"
_DUE = """
SELECT incident, cycle, due_at FROM intake.silences
WHERE due_at <= %s AND (due_at, incident) > (%s, %s)
ORDER BY due_at, incident LIMIT %s
"""
BEGIN = (datetime.min.replace(tzinfo=UTC), "")
"""Comes before every silence."""
_DISARM = """
UPDATE intake.silences SET due_at = NULL
WHERE incident = %s AND cycle = %s AND due_at = %s
"""


def known(cursor: Cursors, incidents: Iterable[str]) -> set[str]:
    """Return those of `incidents` whose silence is waited for."""
    rows = cursor.execute(_KNOWN, (sorted(incidents),)).fetchall()
    return {incident for (incident,) in rows}


def keep(cursor: Cursors, silences: Iterable[Silence]) -> None:
    """Write silences, in order of incident."""
    rows = sorted(silences, key=lambda each: each.incident)
    columns = (
        [row.incident for row in rows],
        [row.cycle for row in rows],
        [row.due_at for row in rows],
    )
    if rows:
        cursor.execute(_KEEP, columns)


def drop(cursor: Cursors, incidents: Iterable[str]) -> None:
    """Wait no longer for these."""
    cursor.execute(_DROP, (sorted(incidents),))


def due(
    cursor: Cursors, now: datetime, limit: int, after: tuple[datetime, str] = BEGIN
) -> Sequence[Silence]:
    """Return up to `limit` silences that have lasted enough, the longest due first.

    `after` is the instant and the incident of the last one of the page before.
    """
    rows = cursor.execute(_DUE, (now, *after, limit)).fetchall()
    return [Silence(*row) for row in rows]


def disarm(cursor: Cursors, silence: Silence) -> None:
    """Look at this one no more, unless something happens to it."""
    values = (silence.incident, silence.cycle, silence.due_at)
    cursor.execute(_DISARM, values)
