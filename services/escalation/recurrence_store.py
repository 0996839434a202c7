"""Keeps which incidents have the same signature: enough of them suggest a problem.

An incident counts once: after it suggested a problem, it does not count towards another
suggestion. Incidents that were cancelled or merged, or that have a problem already, do
not count.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from services.escalation.rules.context import PolicyOf
from services.escalation.rules.recurrence import signature_of
from shared.database.cursors import Cursors
from shared.domain import events
from shared.eventlog.entry import Entry

_ADD = """
INSERT INTO escalation.recurrences (incident, signature, opened_at, position)
VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_ALIKE = """
SELECT incident FROM escalation.recurrences
WHERE signature = %s AND completed_by IS NULL AND opened_at > %s AND position <= %s
ORDER BY position
"""
_COMPLETE = """
UPDATE escalation.recurrences SET completed_by = %s WHERE incident = ANY(%s)
"""
_FORGET = """
DELETE FROM escalation.recurrences WHERE incident = %s AND completed_by IS NULL
"""
_COMPLETED = """
SELECT completed_by, incident FROM escalation.recurrences
WHERE completed_by = ANY(%s) ORDER BY position
"""


def note(cursor: Cursors, entry: Entry, policy_of: PolicyOf) -> None:
    """Remember what an entry says of incidents of one kind."""
    match entry.event:
        case events.IncidentOpened() as event:
            _opened(cursor, event, entry.position, entry.recorded_at, policy_of)
        case (
            events.IncidentCancelled(incident=incident)
            | events.IncidentRedirected(incident=incident)
            | events.IncidentMerged(incident=incident)
            | events.IncidentLinked(relation="problem", incident=incident)
            | events.ProblemIncidentLinked(incident=incident)
            | events.ProblemIdentified(incident=str(incident))
        ):
            cursor.execute(_FORGET, (incident,))
        case _:
            pass


def _opened(
    cursor: Cursors,
    event: events.IncidentOpened,
    position: int,
    at: datetime,
    policy_of: PolicyOf,
) -> None:
    problems = policy_of(event.policy).problems
    rule = problems.suggest if problems else None
    signature = signature_of(event) if rule else None
    if rule is None or signature is None:
        return
    ref = event.incident
    if not cursor.execute(_ADD, (ref, signature, at, position)).rowcount:
        return  # read before: its row was judged then
    since = at - timedelta(days=rule.within_days)
    found = cursor.execute(_ALIKE, (signature, since, position)).fetchall()
    if len(found) >= rule.same_signature:
        cursor.execute(_COMPLETE, (ref, [incident for (incident,) in found]))


def completed(cursor: Cursors, incidents: Sequence[str]) -> Mapping[str, list[str]]:
    """Return, of those incidents that completed a row, all that are in it."""
    rows: dict[str, list[str]] = {}
    for by, incident in cursor.execute(_COMPLETED, (list(incidents),)):
        rows.setdefault(by, []).append(incident)
    return rows
