"""Counts what uses up the budget of a service, as the log records it.

Entries are read in the order of the log, so the count at a position does not depend on
when or by which process it is made: the tables can be rebuilt from the log.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg import Cursor

from services.escalation import service_outages
from services.escalation.rules.context import Broken, Crossing, PolicyOf, used_up
from services.escalation.rules.downtime import Downtime, together
from services.escalation.service_outages import service_down_by
from shared.domain.events.incident import (
    IncidentClassified,
    IncidentOpened,
    IncidentRestored,
)
from shared.domain.events.sla import SlaBreached, SlaOverran
from shared.domain.identifiers import incident_stream
from shared.domain.policy.escalation import BreachBudget
from shared.eventlog.entry import Entry
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

Cursors = Cursor[tuple[Any, ...]]
LISTED_MAX = 200
"""P1s that a hand-over lists, since the size of an event is limited."""

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
# A breach that was counted keeps its count.
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
_CROSS = """
INSERT INTO escalation.crossings
    (position, service, crossed_at, downtime_seconds, outages)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_CROSSING = """
SELECT service, downtime_seconds, outages FROM escalation.crossings WHERE position = %s
"""
_COUNTED_UNTIL = "SELECT max(crossed_at) FROM escalation.crossings WHERE service = %s"
_COUNTED = """
SELECT service, breached_at, incident, overrun_seconds FROM escalation.breaches
WHERE crossing = %s ORDER BY breached_at, incident
"""


def note(log: EventLog, cursor: Cursors, entry: Entry, policy_of: PolicyOf) -> None:
    """Store a breach, how late it was, or an outage; count what uses up the budget."""
    service_outages.note(log, cursor, entry, policy_of)
    event, place = entry.event, entry.position
    match event:
        case SlaBreached(target="ttr", breached_at=at):
            service = _service_of(log, cursor, event.incident, place)
            broken = (event.incident, place, service, at)
            fresh = cursor.execute(_BROKEN, broken).fetchone() if service else None
        case SlaOverran(target="ttr", done_at=at):
            late = (event.overrun_seconds, place, event.incident, place)
            fresh = cursor.execute(_OVERRAN, late).fetchone()
        case IncidentRestored() if _budget(policy_of, event.policy, down=True):
            at, down = entry.recorded_at, service_down_by(cursor, event.incident)
            fresh = (down,) if down else None
        case _:
            return
    budget = _budget(policy_of, event.policy)
    if fresh is not None and budget is not None:
        _count(cursor, fresh[0], place, at, budget, policy_of)


def crossing_at(cursor: Cursors, position: int) -> Crossing | None:
    """Return the crossing of a budget by the event at a position, if there was one."""
    rows = cursor.execute(_COUNTED, (position,)).fetchall()
    counted = tuple(Broken(*each) for _, *each in rows)
    found = cursor.execute(_CROSSING, (position,)).fetchone()
    if found is not None:
        service, seconds, outages = found
        return Crossing(service, counted, timedelta(seconds=seconds), tuple(outages))
    return Crossing(rows[0][0], counted) if rows else None


def _budget(
    policy_of: PolicyOf, version: int, *, down: bool = False
) -> BreachBudget | None:
    """Return the budget per service, if any; with `down`, only one for downtime."""
    problems = policy_of(version).problems
    budget = problems.service if problems else None
    if budget is None or (down and budget.downtime is None):
        return None
    return budget


def _count(
    cursor: Cursors,
    service: str,
    position: int,
    at: datetime,
    budget: BreachBudget,
    policy_of: PolicyOf,
) -> None:
    since = at - budget.window
    given = {"service": service, "position": position, "since": since}
    held = [Broken(*row) for row in cursor.execute(_HELD, given)]
    downs: Sequence[Downtime] = ()
    if budget.downtime is not None:
        row = cursor.execute(_COUNTED_UNTIL, (service,)).fetchone()
        since = max(since, row[0]) if row and row[0] else since
        downs = service_outages.down(cursor, policy_of, service, since, at)
    down = together(downs, since, at)
    crossed = used_up(held, at, budget, down)
    if crossed is None:
        return
    cursor.execute(_CROSSED, (position, [each.incident for each in crossed]))
    outages = list(dict.fromkeys(each.incident for each in downs))
    seconds = int(down.total_seconds())
    crossing = (position, service, at, seconds, outages[-LISTED_MAX:])
    cursor.execute(_CROSS, crossing)


def _service_of(
    log: EventLog, cursor: Cursors, incident: str, position: int
) -> str | None:
    """Return the service of an incident at the time its promise was broken."""
    given = (incident_stream(incident), position)
    rows: Sequence[Any] = cursor.execute(_CLASS, given, binary=True).fetchall()
    for entry in log.entries([Row(*row) for row in rows]):
        match entry.event:
            case IncidentOpened(service=service) | IncidentClassified(service=service):
                return service
            case _:
                pass
    return None
