"""Taking an incident on. Whoever pauses, restores or resolves one does so by that."""

from services.intake.decider.circumstances import Circumstances
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import IncidentAcknowledged, IncidentAssigned
from shared.domain.incident import Incident
from shared.domain.policy.document import unskilled


def taken(incident: Incident, circumstances: Circumstances) -> list[IncidentEvent]:
    """Return the events by which the acting person takes an incident nobody has.

    None by a machine: TTO is stopped by people. Who takes it is its assignee, unless it
    was given to somebody else before, or people above the desk look into it: then it
    stays with them.
    """
    person = circumstances.person
    if incident.acknowledged_at is not None or person is None:
        return []
    common = circumstances.on(incident.ref)
    acknowledged = IncidentAcknowledged(**common)
    team = _team(incident, circumstances, person)
    if team is None:
        return [acknowledged]
    lacks = unskilled(circumstances.policy, team, incident.service, [person])
    assigned = IncidentAssigned(**common, team=team, assignee=person, unskilled=lacks)
    return [acknowledged, assigned]


def _team(incident: Incident, circumstances: Circumstances, person: str) -> str | None:
    """Return as whose member the person has it now; None where they do not."""
    if incident.assignee is not None:
        return None
    helper = circumstances.helper
    if helper is None or helper.level == "n1":
        return incident.team
    team = circumstances.policy.teams.get(helper.team)
    belongs = team is not None and person in team.members
    helps = person == helper.person or (helper.person is None and belongs)
    return helper.team if helps else None
