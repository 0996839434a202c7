"""Rules for classifying an incident and for editing its title and description.

The matrix gives the priority; another priority needs a role and a reason.
"""

from typing import assert_never

from services.intake.commands.rules.context import DecisionContext, Refused, known
from shared.domain.commands.incident import Classify, Edit
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import IncidentClassified, IncidentEdited
from shared.domain.incident import Incident
from shared.domain.policy.priorities import Impact, Priority, Urgency


def settled(
    circumstances: DecisionContext,
    impact: Impact,
    urgency: Urgency,
    wanted: Priority | None,
    reason: str | None,
) -> tuple[Priority, bool]:
    """Return the priority and whether it overrides the matrix; raises `Refused`."""
    policy = circumstances.policy
    given = policy.priority(impact, urgency)
    if wanted is None or wanted == given:
        return given, False
    why = f"impact {impact} and urgency {urgency} give {given}"
    if not policy.may_override(circumstances.command.roles):
        roles = " or ".join(policy.priorities.override.roles) or "nobody"
        raise Refused(
            f"{why}; {wanted} can only be set by the role {roles}, with a reason: "
            "leave `priority` out",
            "role",
        )
    if reason is None:
        raise Refused(f"{why}; say in `reason` why it is {wanted}", "invalid")
    return wanted, True


def described(
    wish: Classify | Edit, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return the events of a command that the status table allows."""
    match wish:
        case Classify():
            return _classified(wish, incident, circumstances)
        case Edit():
            return _edited(wish, incident, circumstances)
        case _:
            assert_never(wish)


def _classified(
    wish: Classify, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    policy = circumstances.policy
    if wish.service:
        known("service", wish.service, policy.services)
    if wish.category:
        known("category", wish.category, policy.categories)
    impact = wish.impact or incident.impact
    urgency = wish.urgency or incident.urgency
    weighed = (impact, urgency) != (incident.impact, incident.urgency)
    priority, override = incident.priority, incident.override
    if weighed or wish.priority not in (None, priority):
        priority, override = settled(
            circumstances, impact, urgency, wish.priority, wish.reason
        )
    elif wish.priority is None and (wish.impact or wish.urgency):
        priority, override = policy.priority(impact, urgency), False
    classified = IncidentClassified(
        **circumstances.about(incident),
        category=wish.category or incident.category,
        service=wish.service or incident.service,
        client=wish.client or incident.client,
        impact=impact,
        urgency=urgency,
        priority=priority,
        override=override,
        reason=wish.reason,
    )
    return [classified] if _changes(classified, incident) else []


def _changes(classified: IncidentClassified, incident: Incident) -> bool:
    said = ("category", "service", "client", "impact", "urgency", "priority")
    return any(
        getattr(classified, name) != getattr(incident, name)
        for name in (*said, "override")
    )


def _edited(
    wish: Edit, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    if wish.title is None and wish.description is None:
        raise Refused("give a new `title`, `description` or both", "invalid")
    title = wish.title if wish.title != incident.title else None
    anew = wish.description != incident.description
    description = wish.description if anew else None
    if title is None and description is None:
        return []
    common = circumstances.about(incident)
    return [IncidentEdited(**common, title=title, description=description)]
