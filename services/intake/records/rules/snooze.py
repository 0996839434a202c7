"""Rules for snoozing an incident: while it sleeps, repeats are only counted.

Nothing else waits: SLA clocks and escalation go on.
"""

from datetime import timedelta
from typing import Literal

from services.intake.records.rules.context import DecisionContext
from shared.domain.commands.incident import Snooze, Wake
from shared.domain.events import IncidentEvent
from shared.domain.events.incident_signals import IncidentSnoozed, IncidentWoken
from shared.domain.incident import Incident
from shared.domain.refusal import Refused

LONGEST = timedelta(days=31)


def snoozed(
    command: Snooze, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the start of the snooze, or its new end."""
    until = command.until or context.at + (command.for_ or timedelta())
    if until <= context.at:
        raise Refused("that is past: say until when in the future", "invalid")
    if until - context.at > LONGEST:
        raise Refused(f"at most {LONGEST.days} days: choose a sooner end", "invalid")
    if until == incident.snoozed_until:
        return []
    common = context.on(incident.ref, context.by)
    return [IncidentSnoozed(**common, until=until, reason=command.reason)]


def woken(_: Wake, incident: Incident, context: DecisionContext) -> list[IncidentEvent]:
    """Return the end of the snooze, if it has not ended by itself."""
    return end_of_snooze("agent", incident, context)


def end_of_snooze(
    cause: Literal["agent", "severity"], incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the end of the snooze of an incident that sleeps now."""
    until = incident.snoozed_until
    if until is None or until <= context.at:
        return []
    return [IncidentWoken(**context.on(incident.ref), cause=cause)]
