"""When incidents are handed over to Problem Management, or a problem suggested."""

from typing import Annotated, Literal

from pydantic import Field

from shared.policy.clause import Clause
from shared.policy.counts import Count, Days
from shared.policy.durations import Duration
from shared.policy.names import Name


class BreachBudget(Clause):
    """So many TTR breaches of one service in so many days hand the service over."""

    breaches: Count
    within_days: Days


class Recurrence(Clause):
    """So many incidents of one signature in so many days suggest a problem."""

    same_signature: Annotated[Count, Field(ge=2)]
    within_days: Days


class Problems(Clause):
    """Hand-over to Problem Management; the incident stays with the desk."""

    team: Name = "problem"
    handover_on: tuple[Literal["ttr_breach"], ...] = ("ttr_breach",)
    service: BreachBudget | None = None
    accept_within: Duration | None = None
    """Longer unanswered, a hand-over is shown as such."""
    suggest: Recurrence | None = None
