"""From impact and urgency to a priority, and who may set another by hand.

The scales a policy ranks with: impact, urgency, priority, a monitor's severity.
"""

from typing import Literal

from shared.domain.policy.clause import Clause, Name

Impact = Literal["high", "medium", "low"]
Urgency = Literal["high", "medium", "low"]
Priority = Literal["p1", "p2", "p3", "p4"]
Severity = Literal["critical", "error", "warning", "info"]


class ByUrgency(Clause):
    """The priorities of one impact."""

    high: Priority
    medium: Priority
    low: Priority


class Override(Clause):
    """Who may set a priority that the matrix does not give."""

    roles: tuple[Name, ...] = ()
    """`desk-` and the scope a token must have: `desk-manager`. None: nobody may."""
    reason: Literal["required"] = "required"
    """An override says why."""


class Priorities(Clause):
    """The matrix: impact (a service's criticality, for signals), then urgency."""

    high: ByUrgency
    medium: ByUrgency
    low: ByUrgency
    override: Override = Override()
