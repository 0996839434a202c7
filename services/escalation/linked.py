"""Which problems there are, and which incidents have them, as the log tells it.

Positions tell what was known when, however much later that is asked.
"""

from collections.abc import Sequence
from typing import Any

from psycopg import Cursor

from shared.entry import Entry
from shared.events.incident_ties import IncidentLinked, IncidentUnlinked
from shared.events.problem import (
    ProblemIdentified,
    ProblemIncidentLinked,
    ProblemIncidentUnlinked,
    ProblemResolved,
    ProblemWorkaroundPublished,
)
from shared.references import about

Cursors = Cursor[tuple[Any, ...]]

_IDENTIFIED = """
INSERT INTO escalation.problems (problem, service, identified_by) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
"""
_RESOLVED = "UPDATE escalation.problems SET resolved_by = %s WHERE problem = %s"
_LINK = """
INSERT INTO escalation.problem_incidents (problem, incident) VALUES (%s, %s)
ON CONFLICT DO NOTHING
"""
_UNLINK = """
DELETE FROM escalation.problem_incidents WHERE problem = %s AND incident = %s
"""
_WORKAROUND = """
INSERT INTO escalation.workarounds (problem, version, position) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
"""
_NEWEST_WORKAROUND = """
SELECT version FROM escalation.workarounds JOIN escalation.problems USING (problem)
WHERE problem = %s AND position < %s AND (resolved_by IS NULL OR resolved_by > %s)
ORDER BY position DESC LIMIT 1
"""
_INCIDENTS = """
SELECT incident FROM escalation.problem_incidents WHERE problem = %s ORDER BY incident
"""
_OPEN = """
SELECT problem FROM escalation.problems
WHERE service = %s AND identified_by < %s AND (resolved_by IS NULL OR resolved_by > %s)
ORDER BY identified_by LIMIT 1
"""


def concerned(  # noqa: PLR0911 one return an event
    cursor: Cursors, entry: Entry
) -> Sequence[str]:
    """Return the incidents an entry has to do with; remember what ties them."""
    match entry.event:
        case ProblemIdentified(problem=problem, service=service, incident=incident):
            cursor.execute(_IDENTIFIED, (problem, service, entry.position))
            return _linked(cursor, problem, incident) if incident else ()
        case ProblemIncidentLinked(problem=problem, incident=incident):
            return _linked(cursor, problem, incident)
        case ProblemResolved(problem=problem):
            cursor.execute(_RESOLVED, (entry.position, problem))
            return ()
        case ProblemWorkaroundPublished(problem=problem):
            cursor.execute(_WORKAROUND, (problem, entry.version, entry.position))
            return [row[0] for row in cursor.execute(_INCIDENTS, (problem,))]
        case IncidentLinked(relation="problem", target=problem, incident=incident):
            return _linked(cursor, problem, incident)
        case (
            IncidentUnlinked(relation="problem", target=problem, incident=incident)
            | ProblemIncidentUnlinked(
                relation="problem", problem=problem, incident=incident
            )
        ):
            cursor.execute(_UNLINK, (problem, incident))
            return (incident,)
        case _:
            incident = about(entry.stream)
            return () if incident is None else (incident,)


def open_problem(cursor: Cursors, service: str, position: int) -> str | None:
    """Return the oldest problem of a service that was open at a position of the log."""
    found = cursor.execute(_OPEN, (service, position, position)).fetchone()
    return found[0] if found else None


def workaround(cursor: Cursors, problem: str, position: int) -> int | None:
    """Return the version of the newest workaround before a position of the log.

    None if there is none, or the problem was resolved by then.
    """
    given = (problem, position, position)
    found = cursor.execute(_NEWEST_WORKAROUND, given).fetchone()
    return found[0] if found else None


def _linked(cursor: Cursors, problem: str, incident: str) -> Sequence[str]:
    cursor.execute(_LINK, (problem, incident))
    return (incident,)
