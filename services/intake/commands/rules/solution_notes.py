"""Rules for solution notes: what N1 can do next time, and which note was used."""

from services.intake.commands.rules.context import DecisionContext, Refused
from shared.domain.commands.incident import Resolve
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import IncidentSolutionNoted
from shared.domain.incident import Incident


def require_solution(wish: Resolve, incident: Incident, other: Incident | None) -> None:
    """Refuse a reference to the incident itself, or to a note that does not exist."""
    if wish.solution == incident.ref:
        raise Refused(
            f"{incident.ref} is not its own solution: name the other incident whose "
            "note was used, or say in `solution_note` what helped",
            "invalid",
        )
    if wish.solution and (other is None or other.solution is None):
        raise Refused(
            f"{wish.solution} has no solution note: GET /v1/solutions lists those "
            "there are; leave `solution` out if none was used",
            "invalid",
        )


def noted(
    note: str | None, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return a new solution note, owned by its author."""
    if note is None or note == incident.solution:
        return []
    common = circumstances.on(incident.ref, circumstances.command.by)
    return [IncidentSolutionNoted(**common, service=incident.service, note=note)]
