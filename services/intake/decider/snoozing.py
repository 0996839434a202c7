"""No news for a while: repeats are counted, and nothing else waits for it."""

from datetime import timedelta

from services.intake.decider.circumstances import Circumstances
from services.intake.decider.refused import Refused
from shared.domain.commands.incident import Snooze, Wake
from shared.domain.events import IncidentEvent
from shared.domain.events.incident_signals import IncidentSnoozed, IncidentWoken
from shared.domain.incident import Incident

LONGEST = timedelta(days=31)


def snoozed(
    wish: Snooze | Wake, incident: Incident, circumstances: Circumstances
) -> list[IncidentEvent]:
    """Return the events of a wish the table lets through."""
    at = circumstances.command.at
    if isinstance(wish, Wake):
        if incident.snoozed_until is None or incident.snoozed_until <= at:
            return []
        return [IncidentWoken(**circumstances.on(incident.ref), cause="agent")]
    until = wish.until or at + (wish.for_ or timedelta())
    if until <= at:
        raise Refused("that is past: say until when in the future", "invalid")
    if until - at > LONGEST:
        raise Refused(f"at most {LONGEST.days} days: choose a sooner end", "invalid")
    if until == incident.snoozed_until:
        return []
    common = circumstances.on(incident.ref, circumstances.command.by)
    return [IncidentSnoozed(**common, until=until, reason=wish.reason)]
