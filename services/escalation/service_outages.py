"""Keeps the outages of services that have a downtime budget, as the log has them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Cursor

from services.escalation.rules.context import PolicyOf
from services.escalation.rules.downtime import Downtime, Outage, outages
from shared.domain.events import AnyEvent, is_incident_event
from shared.domain.events.incident import (
    IncidentCancelled,
    IncidentClassified,
    IncidentOpened,
    IncidentRelapsed,
    IncidentReopened,
    IncidentRestored,
)
from shared.domain.events.incident_ties import IncidentMerged, IncidentUnmerged
from shared.domain.identifiers import incident_stream
from shared.domain.incident import Incident, replay
from shared.domain.sla import promised
from shared.domain.working_time import hours_of
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog

Cursors = Cursor[tuple[Any, ...]]
Turn = (
    IncidentOpened
    | IncidentClassified
    | IncidentRestored
    | IncidentRelapsed
    | IncidentReopened
    | IncidentCancelled
    | IncidentMerged
    | IncidentUnmerged
)
"""Events that begin an outage, end it, or show that there was none."""

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
    """Update the stored outages of an incident after an entry about it."""
    event = entry.event
    if not isinstance(event, Turn) or not _counts(event, policy_of):
        return
    if not (_is_urgent(event) or service_down_by(cursor, event.incident)):
        return
    history = log.histories(cursor, [incident_stream(event.incident)], entry.position)
    cursor.execute(_DROP, (event.incident,))
    incident = replay(each.event for each in history if is_incident_event(each.event))
    calendar = _calendar(incident, event.policy, policy_of) if incident else None
    if incident is None or calendar is None:
        return
    rows = [
        (incident.ref, *outage, incident.service, event.policy, calendar)
        for outage in outages(history)
    ]
    cursor.executemany(_KEEP, rows)


def service_down_by(cursor: Cursors, incident: str) -> str | None:
    """Return the service that a P1 affects or affected, None for any other incident."""
    found = cursor.execute(_KNOWN, (incident,)).fetchone()
    return found[0] if found else None


def down(
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


def _counts(event: Turn, policy_of: PolicyOf) -> bool:
    problems = policy_of(event.policy).problems
    budget = problems.service if problems else None
    return budget is not None and budget.downtime is not None


def _is_urgent(event: AnyEvent) -> bool:
    match event:
        case IncidentOpened() | IncidentClassified():
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
