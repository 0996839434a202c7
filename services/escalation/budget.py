"""When the breaches of a service are too many: its budget is used up. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from shared.policy.problems import BreachBudget

Cause = Literal["breaches", "overrun"]


class Broken(NamedTuple):
    """A broken TTR of a service that no hand-over of it has counted yet."""

    breached_at: datetime
    incident: str
    overrun_seconds: int | None
    """Working time too late; None while that is not known."""


class Crossing(NamedTuple):
    """The breaches that used a budget up, in the order in which they came to be."""

    service: str
    counted: tuple[Broken, ...]


def used_up(
    held: Sequence[Broken], at: datetime, budget: BreachBudget
) -> Sequence[Broken]:
    """Return the breaches that use the budget up at `at`; none where it is not.

    A breach exactly as old as the window is out of it.
    """
    counted = [each for each in held if each.breached_at > at - budget.window]
    return sorted(counted) if cause_of(counted, budget) else ()


def cause_of(counted: Sequence[Broken], budget: BreachBudget) -> Cause | None:
    """Return what of the budget these breaches use up, None where something is left."""
    if budget.breaches is not None and len(counted) >= budget.breaches:
        return "breaches"
    allowed = budget.overrun
    if allowed is not None and overrun_of(counted) > allowed.total_seconds():
        return "overrun"
    return None


def overrun_of(counted: Sequence[Broken]) -> int:
    """Return by how much working time they were late together, as far as is known."""
    return sum(each.overrun_seconds or 0 for each in counted)
