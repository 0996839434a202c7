"""At which support level an incident is, since when, and whether it was taken on."""

from dataclasses import replace
from datetime import datetime

from services.sla_watcher.case import Case, Post
from shared.domain.events import AnyEvent
from shared.domain.events.escalation import (
    Escalated,
    EscalationAccepted,
    EscalationReturned,
)
from shared.domain.events.incident import IncidentAcknowledged, IncidentReopened


def posted(case: Case, event: AnyEvent, at: datetime) -> Case:
    """Return the case after an event; what is of a cycle before changes nothing."""
    *before, here = case.posts
    match event:
        case IncidentReopened():
            return replace(case, posts=(Post("n1", at),))
        case Escalated(cycle=cycle, to_level=level) if cycle == case.cycle:
            left = here._replace(left_at=at)
            return replace(case, posts=(*before, left, Post(level, at)))
        case EscalationReturned(cycle=cycle, to_level=level) if cycle == case.cycle:
            left = here._replace(left_at=at)
            # At n1 it is acknowledged once a cycle: nobody has to do it again.
            taken_at = at if level == "n1" and case.acknowledged_at else None
            return replace(case, posts=(*before, left, Post(level, at, taken_at)))
        case EscalationAccepted(cycle=cycle, level=level) if (
            cycle == case.cycle and level == here.level
        ):
            taken = here._replace(accepted_at=here.accepted_at or at)
            return replace(case, posts=(*before, taken))
        case IncidentAcknowledged() if here.level == "n1":
            taken = here._replace(accepted_at=at)
            return replace(case, posts=(*before, taken))
        case _:
            return case
