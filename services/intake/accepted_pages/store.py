"""The table of incidents that were accepted by a page and not acknowledged yet."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from services.intake.commands.due_commands import DueTable
from services.intake.records.system_command import AcknowledgeAccepted
from shared.database.cursors import Cursors


class AcceptedPage(NamedTuple):
    """`person` accepted an incident in a cycle; it is acknowledged at `due_at`."""

    due_at: datetime
    incident: str
    cycle: int
    person: str


_KEEP = """
INSERT INTO intake.accepted_pages (due_at, incident, cycle, person)
SELECT * FROM unnest(%s::timestamptz[], %s::text[], %s::int[], %s::text[])
ON CONFLICT (incident) DO UPDATE SET
    due_at = excluded.due_at, cycle = excluded.cycle, person = excluded.person
"""
_DROP = """
DELETE FROM intake.accepted_pages AS held
WHERE incident = ANY(%s) OR person = ANY(%s) OR EXISTS (
    SELECT FROM unnest(%s::text[], %s::text[]) AS given (incident, assignee)
    WHERE given.incident = held.incident AND given.assignee <> held.person
)
"""
_DUE = """
SELECT due_at, incident, cycle, person FROM intake.accepted_pages
WHERE due_at <= %s AND (due_at, incident) > (%s, %s)
ORDER BY due_at, incident LIMIT %s
"""
_DISARM = """
DELETE FROM intake.accepted_pages
WHERE due_at = %s AND incident = %s AND cycle = %s AND person = %s
"""
BEGIN = AcceptedPage(datetime.min.replace(tzinfo=UTC), "", 0, "")
"""Sorts before every accepted page."""


def keep(cursor: Cursors, accepted: Iterable[AcceptedPage]) -> None:
    """Write accepted pages, ordered by incident."""
    rows = sorted(accepted, key=lambda each: each.incident)
    if rows:
        cursor.execute(_KEEP, [list(column) for column in zip(*rows, strict=True)])


def drop(
    cursor: Cursors,
    incidents: Iterable[str],
    given: Mapping[str, str],
    people: Iterable[str],
) -> None:
    """Remove these incidents, those given to another, and those of these people.

    `given` has the assignee of each incident, or "".
    """
    rows = (sorted(incidents), sorted(people), [*given.keys()], [*given.values()])
    cursor.execute(_DROP, rows)


def due(
    cursor: Cursors, now: datetime, limit: int, after: AcceptedPage | None = None
) -> Sequence[AcceptedPage]:
    """Return up to `limit` accepted pages that are due, the longest due first.

    `after` is the last one of the previous page.
    """
    begin = (after or BEGIN)[:2]
    rows = cursor.execute(_DUE, (now, *begin, limit)).fetchall()
    return [AcceptedPage(*row) for row in rows]


def disarm(cursor: Cursors, accepted: AcceptedPage) -> None:
    """Remove one, unless it was replaced."""
    cursor.execute(_DISARM, accepted)


def _command(accepted: AcceptedPage) -> tuple[str, AcknowledgeAccepted]:
    return accepted.incident, AcknowledgeAccepted(accepted.cycle)


def _actor(accepted: AcceptedPage) -> str:
    return f"person:{accepted.person}"


ACCEPTED_PAGES = DueTable("accepted_pages", due, _command, disarm, _actor)
"""Acknowledges in the name of who accepted."""
