"""The priority matrix, its scales, and who may set another priority by hand."""

from typing import Literal

from shared.domain.policy.clause import Clause, Name

Impact = Literal["high", "medium", "low"]
Urgency = Literal["high", "medium", "low"]
Priority = Literal["p1", "p2", "p3", "p4"]
Severity = Literal["critical", "error", "warning", "info"]
URGENT: frozenset[Priority] = frozenset({"p1", "p2"})
"""The priorities of incidents that may wake people."""


class ByUrgency(Clause):
    """The priorities for one impact."""

    high: Priority
    medium: Priority
    low: Priority


class Override(Clause):
    """Who may set a priority that the matrix does not give."""

    roles: tuple[Name, ...] = ()
    """`desk-` and a token's scope: `desk-manager`. Empty: nobody may."""
    reason: Literal["required"] = "required"
    """An override requires a reason."""


class Priorities(Clause):
    """The matrix: impact (for signals, the service's criticality), then urgency."""

    high: ByUrgency
    medium: ByUrgency
    low: ByUrgency
    override: Override = Override()
