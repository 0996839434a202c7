"""Which TTR breaches count towards the budget of their service, as the log tells it.

Read in the order of the log, so what is counted at a position is the same whenever and
by whomever it is read: the table of the breaches is rebuilt like the other memory.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Cursor

from services.escalation.budget import Broken, Crossing, used_up
from services.escalation.known import PolicyOf
from shared.entry import Entry
from shared.event_log import SELECT_ROWS, EventLog, Row
from shared.events.incident import IncidentClassified, IncidentOpened
from shared.events.sla import SlaBreached, SlaOverran
from shared.policy.problems import BreachBudget
from shared.references import incident_stream

Cursors = Cursor[tuple[Any, ...]]

_CLASS = (
    SELECT_ROWS
    + "WHERE originator_id = %s AND notification_id < %s "
    + "AND topic IN ('incident.opened', 'incident.classified') "
    + "ORDER BY originator_version DESC LIMIT 1"
)
_BROKEN = """
INSERT INTO escalation.breaches (incident, position, service, breached_at)
VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING service
"""
# What was counted stays as it was counted.
_OVERRAN = """
UPDATE escalation.breaches SET overrun_seconds = %s, overran_by = %s
WHERE incident = %s AND position < %s AND crossing IS NULL RETURNING service
"""
_HELD = """
SELECT breached_at, incident,
       CASE WHEN overran_by <= %(position)s THEN overrun_seconds END
FROM escalation.breaches
WHERE service = %(service)s AND crossing IS NULL AND position <= %(position)s
  AND breached_at > %(since)s
"""
_CROSSED = """
UPDATE escalation.breaches SET crossing = %s WHERE incident = ANY(%s)
"""
_COUNTED = """
SELECT service, breached_at, incident, overrun_seconds FROM escalation.breaches
WHERE crossing = %s ORDER BY breached_at, incident
"""


def note(log: EventLog, cursor: Cursors, entry: Entry, policy_of: PolicyOf) -> None:
    """Take down a breach, or by how much one was late; count what that uses up."""
    event = entry.event
    match event:
        case SlaBreached(target="ttr", breached_at=at):
            service = _service_of(log, cursor, event.incident, entry.position)
            if service is None:
                return
            broken = (event.incident, entry.position, service, at)
            fresh = cursor.execute(_BROKEN, broken).fetchone()
        case SlaOverran(target="ttr", done_at=at):
            place = entry.position
            late = (event.overrun_seconds, place, event.incident, place)
            fresh = cursor.execute(_OVERRAN, late).fetchone()
        case _:
            return
    problems = policy_of(event.policy).problems
    if fresh is not None and problems is not None and problems.service is not None:
        _count(cursor, fresh[0], entry.position, at, problems.service)


def crossing_at(cursor: Cursors, position: int) -> Crossing | None:
    """Return which breaches the event at a position made too many, if it did."""
    rows = cursor.execute(_COUNTED, (position,)).fetchall()
    if not rows:
        return None
    return Crossing(rows[0][0], tuple(Broken(*counted) for _, *counted in rows))


def _count(
    cursor: Cursors, service: str, position: int, at: datetime, budget: BreachBudget
) -> None:
    since = at - budget.window
    given = {"service": service, "position": position, "since": since}
    held = [Broken(*row) for row in cursor.execute(_HELD, given)]
    if crossed := used_up(held, at, budget):
        cursor.execute(_CROSSED, (position, [each.incident for each in crossed]))


def _service_of(
    log: EventLog, cursor: Cursors, incident: str, position: int
) -> str | None:
    """Return the service an incident was about when its promise was broken."""
    given = (incident_stream(incident), position)
    rows: Sequence[Any] = cursor.execute(_CLASS, given, binary=True).fetchall()
    for entry in log.entries([Row(*row) for row in rows]):
        match entry.event:
            case IncidentOpened(service=service) | IncidentClassified(service=service):
                return service
            case _:
                pass
    return None
