"""Priority is protected: the matrix gives it, or a role with a reason."""

from services.intake.decider.circumstances import Circumstances
from services.intake.decider.refused import Refused
from shared.domain.policy.priorities import Impact, Priority, Urgency


def settled(
    circumstances: Circumstances,
    impact: Impact,
    urgency: Urgency,
    wanted: Priority | None,
    reason: str | None,
) -> tuple[Priority, bool]:
    """Return the priority, and whether it overrides the matrix; or raise `Refused`."""
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
