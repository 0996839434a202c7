"""Stores what uses up the budget of a service, as the log records it, and counts it.

That is broken promises, how late they were, and outages. Entries are read in the order
of the log, so the count at a position does not depend on when or by which process it is
made: the tables can be rebuilt from the log.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from services.escalation.rules.budget import (
    Broken,
    Crossing,
    Downtime,
    Outage,
    outages,
    together,
    used_up,
)
from services.escalation.rules.context import PolicyOf
from shared.database.cursors import Cursors
from shared.domain import events
from shared.domain.identifiers import incident_stream
from shared.domain.incident import Incident, replay
from shared.domain.policy.escalation import BreachBudget
from shared.domain.sla import promised
from shared.domain.working_time import hours_of
from shared.eventlog.entry import Entry
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

LISTED_MAX = 200
"""P1s that a hand-over lists, since the size of an event is limited."""

Turn = (
    events.IncidentOpened
    | events.IncidentClassified
    | events.IncidentRestored
    | events.IncidentRelapsed
    | events.IncidentReopened
    | events.IncidentCancelled
    | events.IncidentRedirected
    | events.IncidentMerged
    | events.IncidentUnmerged
)
"""Events that begin an outage, end it, or show that there was none."""

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
_KNOWN = "SELECT service FROM escalation.outages WHERE incident = %s LIMIT 1"
_DROP = "DELETE FROM escalation.outages WHERE incident = %s"
_KEEP = """
INSERT INTO escalation.outages
    (incident, began_at, ended_at, service, policy, calendar)
VALUES (%s, %s, %s, %s, %s, %s)
"""
_DOWN = """
SELECT incident, began_at, ended_at, policy, calendar FROM escalation.outages
WHERE service = %(service)s AND began_at < %(until)s
  AND (ended_at IS NULL OR ended_at > %(since)s)
ORDER BY began_at, incident
"""


def note(log: EventLog, cursor: Cursors, entry: Entry, policy_of: PolicyOf) -> None:
    """Store a breach, how late it was, or an outage; count what uses up the budget."""
    _note_outages(log, cursor, entry, policy_of)
    event, place = entry.event, entry.position
    match event:
        case events.SlaBreached(target="ttr", breached_at=at):
            service = _service_of(log, cursor, event.incident, place)
            broken = (event.incident, place, service, at)
            fresh = cursor.execute(_BROKEN, broken).fetchone() if service else None
        case events.SlaOverran(target="ttr", done_at=at):
            late = (event.overrun_seconds, place, event.incident, place)
            fresh = cursor.execute(_OVERRAN, late).fetchone()
        case events.IncidentRestored() if _budget(policy_of, event.policy, down=True):
            at, down = entry.recorded_at, _service_down_by(cursor, event.incident)
            fresh = (down,) if down else None
        case _:
            return
    budget = _budget(policy_of, event.policy)
    if fresh is not None and budget is not None:
        _count(cursor, fresh[0], place, at, budget, policy_of)


def _note_outages(
    log: EventLog, cursor: Cursors, entry: Entry, policy_of: PolicyOf
) -> None:
    """Update the stored outages of an incident after an entry about it."""
    event = entry.event
    if (
        not isinstance(event, Turn)
        or _budget(policy_of, event.policy, down=True) is None
    ):
        return
    if not (_is_urgent(event) or _service_down_by(cursor, event.incident)):
        return
    history = log.histories(cursor, [incident_stream(event.incident)], entry.position)
    cursor.execute(_DROP, (event.incident,))
    incident = replay(
        each.event for each in history if events.is_incident_event(each.event)
    )
    calendar = _calendar(incident, event.policy, policy_of) if incident else None
    if incident is None or calendar is None:
        return
    rows = [
        (incident.ref, *outage, incident.service, event.policy, calendar)
        for outage in outages(history)
    ]
    cursor.executemany(_KEEP, rows)


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
        downs = _outages_of(cursor, policy_of, service, since, at)
    down = together(downs, since, at)
    crossed = used_up(held, at, budget, down)
    if crossed is None:
        return
    cursor.execute(_CROSSED, (position, [each.incident for each in crossed]))
    incidents = list(dict.fromkeys(each.incident for each in downs))
    seconds = int(down.total_seconds())
    crossing = (position, service, at, seconds, incidents[-LISTED_MAX:])
    cursor.execute(_CROSS, crossing)


def _service_of(
    log: EventLog, cursor: Cursors, incident: str, position: int
) -> str | None:
    """Return the service of an incident at the time its promise was broken."""
    given = (incident_stream(incident), position)
    rows: Sequence[Any] = cursor.execute(_CLASS, given, binary=True).fetchall()
    for entry in log.entries([Row(*row) for row in rows]):
        match entry.event:
            case (
                events.IncidentOpened(service=service)
                | events.IncidentClassified(service=service)
            ):
                return service
            case _:
                pass
    return None


def _service_down_by(cursor: Cursors, incident: str) -> str | None:
    """Return the service that a P1 affects or affected, None for any other incident."""
    found = cursor.execute(_KNOWN, (incident,)).fetchone()
    return found[0] if found else None


def _outages_of(
    cursor: Cursors,
    policy_of: PolicyOf,
    service: str,
    since: datetime,
    until: datetime,
) -> Sequence[Downtime]:
    """Return the outages of a service between two instants."""
    given = {"service": service, "since": since, "until": until}
    return [
        Downtime(
            incident,
            Outage(began_at, ended_at),
            hours_of(policy_of(policy).calendars[calendar]),
        )
        for incident, began_at, ended_at, policy, calendar in cursor.execute(
            _DOWN, given
        )
    ]


def _is_urgent(event: events.AnyEvent) -> bool:
    match event:
        case events.IncidentOpened() | events.IncidentClassified():
            return event.priority == "p1"
        case _:
            return False


def _calendar(incident: Incident, policy: int, policy_of: PolicyOf) -> str | None:
    """Return the calendar of the TTR promise; None if no contract applies."""
    try:
        pledges = promised(
            policy_of(policy),
            incident.service,
            incident.client,
            incident.priority,
            incident.reported_at,
            incident.noticed,
        )
    except ValueError:  # the calendar is never open: nothing counts in it
        return None
    pledge = pledges.get("ttr")
    return pledge.calendar if pledge else None
