"""Whether news is made of an incident's repeats, and what wakes it."""

from services.intake.pipeline.arrival import Arrival
from shared.domain.incident import Incident
from shared.domain.policy.priorities import Severity

_RISING: tuple[Severity | None, ...] = (None, "info", "warning", "error", "critical")


def is_snoozed(incident: Incident, arrival: Arrival) -> bool:
    """Tell whether repeats are only counted when this one arrives."""
    until = incident.snoozed_until
    return until is not None and arrival.ground.at < until


def is_worse(now: Severity | None, before: Severity | None) -> bool:
    """Tell whether a signal that says how bad it is says worse than before."""
    return now is not None and _RISING.index(now) > _RISING.index(before)
