"""When a service was late or down too much: its budget is used up. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from shared.domain.policy.escalation import BreachBudget

Cause = Literal["breaches", "overrun", "downtime"]
NONE = timedelta(0)


class Broken(NamedTuple):
    """A broken TTR of a service that no hand-over of it has counted yet."""

    breached_at: datetime
    incident: str
    overrun_seconds: int | None
    """Working time too late; None while that is not known."""


class Crossing(NamedTuple):
    """What used a budget up: breaches in the order in which they came to be, and P1s.

    `outages` are the P1s by which the service was down for `downtime`.
    """

    service: str
    counted: tuple[Broken, ...]
    downtime: timedelta = NONE
    outages: tuple[str, ...] = ()


def used_up(
    held: Sequence[Broken], at: datetime, budget: BreachBudget, down: timedelta = NONE
) -> Sequence[Broken] | None:
    """Return the breaches counted once the budget is used up at `at`; else None.

    A breach exactly as old as the window is out of it. `down` is for how long the
    service was down in the window.
    """
    counted = [each for each in held if each.breached_at > at - budget.window]
    return sorted(counted) if cause_of(counted, budget, down) else None


def cause_of(
    counted: Sequence[Broken], budget: BreachBudget, down: timedelta = NONE
) -> Cause | None:
    """Return what of the budget these use up, None where something is left."""
    if budget.breaches is not None and len(counted) >= budget.breaches:
        return "breaches"
    if budget.overrun is not None and late(counted) > budget.overrun:
        return "overrun"
    if budget.downtime is not None and down > budget.downtime:
        return "downtime"
    return None


def late(counted: Sequence[Broken]) -> timedelta:
    """Return by how much working time they were late together, as far as is known."""
    return timedelta(seconds=overrun_of(counted))


def overrun_of(counted: Sequence[Broken]) -> int:
    """Return the same in seconds."""
    return sum(each.overrun_seconds or 0 for each in counted)
