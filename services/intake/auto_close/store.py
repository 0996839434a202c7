"""The table of resolved incidents that wait to be closed, and when each is due."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from services.intake.auto_close.rules import Silence
from services.intake.commands.due_commands import DueTable
from services.intake.records.system_command import CloseSilent
from shared.database.cursors import Cursors

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
"""Sorts before every silence."""
_DISARM = """
UPDATE intake.silences SET due_at = NULL
WHERE incident = %s AND cycle = %s AND due_at = %s
"""


def known(cursor: Cursors, incidents: Iterable[str]) -> set[str]:
    """Return those of `incidents` that are in the table."""
    rows = cursor.execute(_KNOWN, (sorted(incidents),)).fetchall()
    return {incident for (incident,) in rows}


def keep(cursor: Cursors, silences: Iterable[Silence]) -> None:
    """Write silences, ordered by incident."""
    rows = sorted(silences, key=lambda each: each.incident)
    columns = (
        [row.incident for row in rows],
        [row.cycle for row in rows],
        [row.due_at for row in rows],
    )
    if rows:
        cursor.execute(_KEEP, columns)


def drop(cursor: Cursors, incidents: Iterable[str]) -> None:
    """Remove these incidents from the table."""
    cursor.execute(_DROP, (sorted(incidents),))


def due(
    cursor: Cursors, now: datetime, limit: int, after: Silence | None = None
) -> Sequence[Silence]:
    """Return up to `limit` silences that are due, the longest due first.

    `after` is the last one of the previous page.
    """
    begin = (after.due_at, after.incident) if after else BEGIN
    rows = cursor.execute(_DUE, (now, *begin, limit)).fetchall()
    return [Silence(*row) for row in rows]


def disarm(cursor: Cursors, silence: Silence) -> None:
    """Do not examine this one again, unless something happens to the incident."""
    values = (silence.incident, silence.cycle, silence.due_at)
    cursor.execute(_DISARM, values)


def _command(silence: Silence) -> tuple[str, CloseSilent]:
    return silence.incident, CloseSilent(silence.cycle)


SILENCES = DueTable("closing", due, _command, disarm)
"""Closes silent incidents."""
