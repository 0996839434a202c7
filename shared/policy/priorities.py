"""From impact and urgency to a priority, and who may set another by hand."""

from typing import Literal

from shared.policy.clause import Clause
from shared.policy.names import Name
from shared.policy.scales import Priority


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
