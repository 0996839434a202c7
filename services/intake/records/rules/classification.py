"""Rules for classifying an incident and for editing its title and description.

The matrix gives the priority; another priority needs a role and a reason.
"""

from services.intake.records.rules.context import DecisionContext
from shared.domain.commands.incident import Classify, Edit
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import IncidentClassified, IncidentEdited
from shared.domain.incident import Incident
from shared.domain.policy.priorities import Impact, Priority, Urgency
from shared.domain.refusal import Refused, require_in_policy


def priority_of(
    context: DecisionContext,
    impact: Impact,
    urgency: Urgency,
    wanted: Priority | None,
    reason: str | None,
) -> tuple[Priority, bool]:
    """Return the priority and whether it overrides the matrix; raises `Refused`."""
    policy = context.policy
    given = policy.priority(impact, urgency)
    if wanted is None or wanted == given:
        return given, False
    why = f"impact {impact} and urgency {urgency} give {given}"
    if not policy.may_override(context.roles):
        roles = " or ".join(policy.priorities.override.roles) or "nobody"
        raise Refused(
            f"{why}; {wanted} can only be set by the role {roles}, with a reason: "
            "leave `priority` out",
            "role",
        )
    if reason is None:
        raise Refused(f"{why}; say in `reason` why it is {wanted}", "invalid")
    return wanted, True


def classified(
    command: Classify, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the new classification, if anything changes."""
    policy = context.policy
    if command.service:
        require_in_policy("service", command.service, policy.services)
    if command.category:
        require_in_policy("category", command.category, policy.categories)
    impact = command.impact or incident.impact
    urgency = command.urgency or incident.urgency
    weighed = (impact, urgency) != (incident.impact, incident.urgency)
    priority, override = incident.priority, incident.override
    if weighed or command.priority not in (None, priority):
        priority, override = priority_of(
            context, impact, urgency, command.priority, command.reason
        )
    elif command.priority is None and (command.impact or command.urgency):
        priority, override = policy.priority(impact, urgency), False
    event = IncidentClassified(
        **context.about(incident),
        category=command.category or incident.category,
        service=command.service or incident.service,
        client=command.client or incident.client,
        impact=impact,
        urgency=urgency,
        priority=priority,
        override=override,
        reason=command.reason,
    )
    return [event] if _changes(event, incident) else []


_COMPARED = (
    "category",
    "service",
    "client",
    "impact",
    "urgency",
    "priority",
    "override",
)


def _changes(event: IncidentClassified, incident: Incident) -> bool:
    return any(getattr(event, name) != getattr(incident, name) for name in _COMPARED)


def edited(
    command: Edit, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the new title or description, as far as they change."""
    if command.title is None and command.description is None:
        raise Refused("give a new `title`, `description` or both", "invalid")
    title = command.title if command.title != incident.title else None
    differs = command.description != incident.description
    description = command.description if differs else None
    if title is None and description is None:
        return []
    common = context.about(incident)
    return [IncidentEdited(**common, title=title, description=description)]
