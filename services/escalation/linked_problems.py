"""Keeps problems and the incidents linked to them, as the log records them.

Each row has the positions of the log between which it was true, so a question about an
earlier position gets the same answer whenever it is asked.
"""

from collections.abc import Mapping, Sequence

from services.escalation.rules.context import PROPOSED_MAX, OpenProblems
from services.escalation.rules.recurrence import signature_of
from shared.database.cursors import Cursors
from shared.domain import events
from shared.domain.identifiers import about, incident_stream
from shared.eventlog.entry import Entry
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

MATCHING_MAX = 2 * PROPOSED_MAX
"""Open problems that are read: the incident may have been taken out of some."""
SIGNED_MAX = 1_000
"""Incidents whose signatures are computed in one query."""

_IDENTIFIED = """
INSERT INTO escalation.problems (problem, service, identified_by) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
"""
_RESOLVED = "UPDATE escalation.problems SET resolved_by = %s WHERE problem = %s"
_LINK = """
INSERT INTO escalation.problem_incidents AS held (problem, incident, linked_by)
VALUES (%s, %s, %s)
ON CONFLICT (problem, incident) DO UPDATE
SET linked_by = excluded.linked_by, unlinked_by = NULL
WHERE held.unlinked_by IS NOT NULL
"""
_UNLINK = """
UPDATE escalation.problem_incidents SET unlinked_by = %s
WHERE problem = %s AND incident = %s AND unlinked_by IS NULL
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
SELECT incident FROM escalation.problem_incidents
WHERE problem = %s AND unlinked_by IS NULL ORDER BY incident
"""
_OF_SERVICE = """
SELECT problem FROM escalation.problems
WHERE service = %(service)s AND identified_by < %(position)s
  AND (resolved_by IS NULL OR resolved_by > %(position)s)
ORDER BY identified_by LIMIT %(limit)s
"""
_OF_SIGNATURE = """
SELECT problem FROM escalation.problems
WHERE identified_by < %(position)s
  AND (resolved_by IS NULL OR resolved_by > %(position)s)
  AND problem IN (
    SELECT problem FROM escalation.problem_incidents
    WHERE signature = %(signature)s AND linked_by < %(position)s
      AND (unlinked_by IS NULL OR unlinked_by > %(position)s))
ORDER BY identified_by LIMIT %(limit)s
"""
_UNSIGNED = """
SELECT DISTINCT incident FROM escalation.problem_incidents
JOIN escalation.problems USING (problem)
WHERE NOT signed AND (resolved_by IS NULL OR resolved_by > %s)
ORDER BY incident LIMIT %s
"""
_SIGN = """
UPDATE escalation.problem_incidents AS held
SET signature = looked_up.signature, signed = true
FROM unnest(%s::text[], %s::bytea[]) AS looked_up (incident, signature)
WHERE held.incident = looked_up.incident
"""
_OPENED = SELECT_ROWS + "WHERE originator_id = ANY(%s) AND topic = 'incident.opened'"


def concerned(  # noqa: PLR0911 one return an event
    cursor: Cursors, entry: Entry
) -> Sequence[str]:
    """Return the incidents that an entry concerns; store the links it records."""
    match entry.event:
        case events.ProblemIdentified(
            problem=problem, service=service, incident=incident
        ):
            cursor.execute(_IDENTIFIED, (problem, service, entry.position))
            return _linked(cursor, problem, incident, entry) if incident else ()
        case events.ProblemIncidentLinked(problem=problem, incident=incident):
            return _linked(cursor, problem, incident, entry)
        case events.ProblemResolved(problem=problem):
            cursor.execute(_RESOLVED, (entry.position, problem))
            return ()
        case events.ProblemWorkaroundPublished(problem=problem):
            cursor.execute(_WORKAROUND, (problem, entry.version, entry.position))
            return [row[0] for row in cursor.execute(_INCIDENTS, (problem,))]
        case (
            events.ProblemAssigned(incidents=listed)
            | events.ChangeAssigned(incidents=listed)
        ):
            return listed[:1]  # the new team is notified once, for all of them
        case events.IncidentLinked(
            relation="problem", target=problem, incident=incident
        ):
            return _linked(cursor, problem, incident, entry)
        case (
            events.IncidentUnlinked(
                relation="problem", target=problem, incident=incident
            )
            | events.ProblemIncidentUnlinked(
                relation="problem", problem=problem, incident=incident
            )
        ):
            cursor.execute(_UNLINK, (entry.position, problem, incident))
            return (incident,)
        case _:
            incident = about(entry.stream)
            return () if incident is None else (incident,)


def open_problems(
    log: EventLog, cursor: Cursors, incident: str | None, service: str, position: int
) -> OpenProblems:
    """Return the problems that were open at a position of the log, oldest first.

    Without an incident, problems are not searched by signature.
    """
    given: dict[str, object] = {"service": service, "position": position}
    given["limit"] = MATCHING_MAX
    of_service = [row[0] for row in cursor.execute(_OF_SERVICE, given)]
    of_signature: list[str] = []
    if incident is not None and (signature := _signature(log, cursor, incident)):
        _sign(log, cursor, position)
        given["signature"] = signature
        of_signature = [row[0] for row in cursor.execute(_OF_SIGNATURE, given)]
    return OpenProblems(of_signature, of_service)


def workaround(cursor: Cursors, problem: str, position: int) -> int | None:
    """Return the version of the newest workaround before a position of the log.

    None without a workaround, or if the problem was resolved by then.
    """
    given = (problem, position, position)
    found = cursor.execute(_NEWEST_WORKAROUND, given).fetchone()
    return found[0] if found else None


def _linked(
    cursor: Cursors, problem: str, incident: str, entry: Entry
) -> Sequence[str]:
    cursor.execute(_LINK, (problem, incident, entry.position))
    return (incident,)


def _signature(log: EventLog, cursor: Cursors, incident: str) -> bytes | None:
    return signatures_of(log, cursor, [incident]).get(incident)


def _sign(log: EventLog, cursor: Cursors, position: int) -> None:
    """Compute the signatures of incidents of open problems, each once."""
    given = (position, SIGNED_MAX)
    while incidents := [row[0] for row in cursor.execute(_UNSIGNED, given)]:
        found = signatures_of(log, cursor, incidents)
        cursor.execute(_SIGN, (incidents, [found.get(each) for each in incidents]))


def signatures_of(
    log: EventLog, cursor: Cursors, incidents: Sequence[str]
) -> Mapping[str, bytes | None]:
    """Return the signature of each incident, computed from its opening."""
    streams = [incident_stream(incident) for incident in incidents]
    rows = cursor.execute(_OPENED, (streams,), binary=True).fetchall()
    return {
        entry.event.incident: signature_of(entry.event)
        for entry in log.entries([Row(*row) for row in rows])
        if isinstance(entry.event, events.IncidentOpened)
    }
