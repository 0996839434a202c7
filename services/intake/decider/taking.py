"""Taking an incident on. Whoever pauses, restores or resolves one does so by that."""

from services.intake.decider.circumstances import Circumstances
from shared.events import IncidentEvent
from shared.events.incident import IncidentAcknowledged, IncidentAssigned
from shared.incident import Incident


def taken(incident: Incident, circumstances: Circumstances) -> list[IncidentEvent]:
    """Return the events by which the acting person takes an incident nobody has.

    None by a machine: TTO is stopped by people. Who takes it is its assignee, unless it
    was given to somebody else before.
    """
    person = circumstances.person
    if incident.acknowledged_at is not None or person is None:
        return []
    common = circumstances.on(incident.ref)
    acknowledged = IncidentAcknowledged(**common)
    if incident.assignee is not None:
        return [acknowledged]
    return [
        acknowledged,
        IncidentAssigned(**common, team=incident.team, assignee=person),
    ]
