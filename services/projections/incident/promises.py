"""How the promises about an incident stand at an instant, counted in open hours."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.policy.document import Policy
from shared.domain.sla import Clock, left, original_due, spent
from shared.domain.working_time import Hours, hours_of

Policies = Callable[[int], Policy]
"""Gives the policy of a version; LookupError where the log has none."""


@dataclass(frozen=True)
class Standing:
    """A clock, and working seconds at an instant; `left` is negative when over.

    `original_due_at` is when it would be due had nobody agreed to more: no agreement
    moves it, a pause moves it as it moves what is due. All are None where the calendar
    is not in the log: nothing was made up.
    """

    clock: Clock
    elapsed: int | None
    left: int | None
    original_due_at: datetime | None


def standings(
    clocks: Iterable[Clock], policies: Policies, at: datetime
) -> tuple[Standing, ...]:
    """Return how each promise stands at `at`, under the calendar it was made with."""
    return tuple(_standing(clock, hours_under(clock, policies), at) for clock in clocks)


def _standing(clock: Clock, hours: Hours | None, at: datetime) -> Standing:
    if hours is None:
        return Standing(clock, None, None, None)
    over = spent(clock, hours, at), left(clock, hours, at)
    return Standing(clock, *over, original_due(clock, hours))


def hours_under(clock: Clock, policies: Policies) -> Hours | None:
    """Return the hours of the calendar a promise was made with; None without it."""
    try:
        return hours_of(policies(clock.policy).calendars[clock.calendar])
    except LookupError:
        return None
