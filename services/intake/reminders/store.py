"""The table of reminders that are not due yet, and the instant of each."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from services.intake.commands.due_commands import DueTable
from services.intake.records.system_command import FireReminder
from shared.database.cursors import Cursors


class PendingReminder(NamedTuple):
    """A person is to be reminded of an incident at `due_at`."""

    due_at: datetime
    incident: str
    person: str
    number: int = 1
    has_left: bool = False
    """The person was removed since they asked: the reminder ends at once."""


_KEEP = """
INSERT INTO intake.reminders (due_at, incident, person, number, has_left)
SELECT * FROM unnest(
    %s::timestamptz[], %s::text[], %s::text[], %s::int[], %s::boolean[])
ON CONFLICT (incident, person, number) DO UPDATE SET
    due_at = excluded.due_at, has_left = excluded.has_left
"""
_LEAVE = "UPDATE intake.reminders SET has_left = true WHERE person = ANY(%s)"
_DROP = """
DELETE FROM intake.reminders
USING unnest(%s::text[], %s::text[], %s::int[]) AS gone (ref, who, which)
WHERE incident = gone.ref AND person = gone.who AND number = gone.which
"""
_DUE = """
SELECT due_at, incident, person, number, has_left FROM intake.reminders
WHERE (due_at <= %s OR has_left)
  AND (due_at, incident, person, number) > (%s, %s, %s, %s)
ORDER BY due_at, incident, person, number LIMIT %s
"""
_DISARM = """
DELETE FROM intake.reminders
WHERE due_at = %s AND incident = %s AND person = %s AND number = %s
"""
Which = tuple[str, str, int]
"""Incident, person and number: they identify a reminder."""
BEGIN = PendingReminder(datetime.min.replace(tzinfo=UTC), "", "", 0)
"""Sorts before every reminder."""


def keep(cursor: Cursors, reminders: Iterable[PendingReminder]) -> None:
    """Write reminders, each instead of an earlier one of its number."""
    rows = sorted(reminders, key=lambda each: each[1:])
    if rows:
        cursor.execute(_KEEP, [list(column) for column in zip(*rows, strict=True)])


def drop(cursor: Cursors, which: Iterable[Which]) -> None:
    """Remove these reminders."""
    rows = sorted(which)
    if rows:
        cursor.execute(_DROP, [list(column) for column in zip(*rows, strict=True)])


def leave(cursor: Cursors, people: Iterable[str]) -> None:
    """Let the reminders of people who were removed end."""
    cursor.execute(_LEAVE, (sorted(people),))


def due(
    cursor: Cursors, now: datetime, limit: int, after: PendingReminder | None = None
) -> Sequence[PendingReminder]:
    """Return up to `limit` reminders that are due, the longest due first.

    Those of people who were removed are due at once. `after` is the last one of the
    previous page.
    """
    begin = (after or BEGIN)[:4]
    rows = cursor.execute(_DUE, (now, *begin, limit)).fetchall()
    return [PendingReminder(*row) for row in rows]


def disarm(cursor: Cursors, reminder: PendingReminder) -> None:
    """Remove a reminder, unless it was replaced by one with another instant."""
    cursor.execute(_DISARM, reminder[:4])


def _command(reminder: PendingReminder) -> tuple[str, FireReminder]:
    due_at, incident, person, number, has_left = reminder
    return incident, FireReminder(person, due_at, has_left, number)


REMINDERS = DueTable("reminder", due, _command, disarm)
"""Reminds people, and ends the reminders of those who left."""
