"""OLAs: the targets of support levels towards the desk, besides those for users."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from typing_extensions import TypeIs

from shared.domain.events.sla import OlaTarget, Target
from shared.domain.policy.document import Policy
from shared.domain.policy.durations import Dwell
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import SupportLevel
from shared.domain.sla.promise import (
    PromiseFacts,
    PromiseTerms,
    TargetPromise,
    covering,
    pledged,
    strictest,
)


class OwedTarget(NamedTuple):
    """A level, and what it owes: to take on (`own`) or to finish (`work`)."""

    level: SupportLevel
    what: Literal["own", "work"]


OLAS: Mapping[OlaTarget, OwedTarget] = {
    "ola_n1_own": OwedTarget("n1", "own"),
    "ola_n1_work": OwedTarget("n1", "work"),
    "ola_n2_own": OwedTarget("n2", "own"),
    "ola_n2_work": OwedTarget("n2", "work"),
    "ola_n3_own": OwedTarget("n3", "own"),
    "ola_n3_work": OwedTarget("n3", "work"),
}


def is_operational(target: Target) -> TypeIs[OlaTarget]:
    """Return whether a target is an OLA target, as opposed to one for users."""
    return target in OLAS


def owed(
    policy: Policy, about: PromiseFacts, level: SupportLevel, entered_at: datetime
) -> Mapping[Target, TargetPromise]:
    """Return the OLA targets of a level from when the incident got there.

    Empty without any. Of several contracts the strictest counts, as for SLA targets.
    """
    found: dict[Target, list[TargetPromise]] = {}
    for terms in covering(policy, about):
        for target, (whose, what) in OLAS.items():
            if whose != level:
                continue
            seconds = owed_seconds(terms, level, what, about.priority)
            if seconds is not None:
                pledge = pledged(policy, terms, target, seconds, entered_at)
                found.setdefault(target, []).append(pledge)
    return {target: strictest(each) for target, each in found.items()}


def owed_seconds(
    terms: PromiseTerms,
    level: SupportLevel,
    what: Literal["own", "work"],
    priority: Priority,
) -> int | None:
    """Return the working time that a level has in a contract; None if unlimited."""
    of_level = terms.targets.ola.get(level)
    delay: Dwell | None = getattr(of_level, what) if of_level else None
    match delay:
        case timedelta():
            return int(delay.total_seconds())
        case int(percent):
            ttr: timedelta = getattr(terms.targets.ttr, priority)
            return int(ttr.total_seconds()) * percent // 100
        case None:
            return None
