"""When incidents are handed over to Problem Management, or a problem suggested."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.policy.clause import Clause
from shared.policy.counts import Count, Days
from shared.policy.durations import Duration
from shared.policy.names import Name


class BreachBudget(Clause):
    """What of one service may add up before the service is handed over.

    Give `breaches`, `overrun`, `downtime` or several; what is used up first hands it
    over. What was counted once is not counted again.
    """

    breaches: Count | None = None
    """With so many broken promises it is used up."""
    overrun: Duration | None = None
    """With more working time than that beyond what was promised, all together."""
    downtime: Duration | None = None
    """With more time than that, in the hours its contract covers, in which a P1 of it
    was recorded and not restored. What was down twice at once counts once."""
    within_days: Days

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        if self.breaches is None and self.overrun is None and self.downtime is None:
            raise ValueError(
                "say how many `breaches`, how much `overrun` or how much `downtime` is "
                "a lot"
            )
        return self

    @property
    def window(self) -> timedelta:
        """How long before the last of them the first may have been."""
        return timedelta(days=self.within_days)


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
