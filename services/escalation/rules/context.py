"""What the rules look up: policies, contracts' terms, problems, what comes next.

Something that is true from an instant on, and the events that say so.

When a service was late or down too much: its budget is used up. Pure.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from services.escalation.rules.case import Case
from services.escalation.rules.problem_match import OpenProblems
from shared.domain.events import AnyEvent
from shared.domain.incident.state import Noticed
from shared.domain.policy.document import Policy
from shared.domain.policy.durations import Dwell
from shared.domain.policy.escalation import BreachBudget
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import PauseReason, SupportLevel
from shared.domain.sla import PromiseFacts, covering, owed_seconds, promised
from shared.domain.working_time import Hours, hours_of

BY = "system:escalation"


class Due(NamedTuple):
    """`events` makes the events, given the present instant."""

    when: datetime
    events: Callable[[datetime], Sequence[AnyEvent]]


def on(case: Case, at: datetime) -> dict[str, Any]:
    """Return what every decision about an incident has in common."""
    return {"incident": case.incident, "policy": case.policy, "at": at, "by": BY}


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


PolicyOf = Callable[[int], Policy]
TERMS_MAX = 4_096
"""How many answers are kept: most of what is asked about one incident is the same."""


class Limit(NamedTuple):
    """How many working seconds of `hours` an incident may stay at a level, and why."""

    cause: Literal["dwell", "ola"]
    hours: Hours
    seconds: int
    paused_by: tuple[PauseReason, ...]


@dataclass(frozen=True)
class ContractTerms:
    """What the contract says about the time to resolve.

    `hours` are those in which that time passes, `desk_hours` those of the contract.
    """

    hours: Hours
    desk_hours: Hours
    seconds: int
    levels: Mapping[SupportLevel, tuple[Dwell, ...]]
    paused_by: tuple[PauseReason, ...]
    desk_owes: tuple[Limit, ...] = ()
    """What n1 owes by each contract: its OLA."""

    def limits(self, level: SupportLevel) -> Iterator[Limit]:
        """Yield how long it may stay there; the first to be used up counts."""
        for stay in self.levels.get(level, ()):
            match stay:
                case timedelta():
                    seconds = int(stay.total_seconds())
                case int(percent):
                    seconds = self.seconds * percent // 100
            yield Limit("dwell", self.hours, seconds, self.paused_by)
        if level == "n1":
            yield from self.desk_owes


TermsOf = Callable[
    [int, str, str | None, Priority, datetime, Noticed], ContractTerms | None
]
"""By policy version, service, client, priority, instant and kind of the report."""


@dataclass(frozen=True)
class EscalationContext:
    """Look-ups whose answers are the same whenever they are asked."""

    policy_of: PolicyOf
    terms_of: TermsOf
    open_problems: Callable[[str | None, str, int], OpenProblems]
    """By incident, service and position: those that match either and are open then."""
    crossing: Callable[[int], Crossing | None]
    """Which breaches of a service the event at a position made too many."""
    rest_of_moment: Callable[[str, int, datetime], Sequence[AnyEvent]]
    """What follows a version of a stream and was recorded at that very instant."""
    workaround: Callable[[str, int], int | None] = lambda _problem, _position: None
    """Version of an open problem's newest workaround before a position of the log."""
    webhook: bool = False
    """Whether there is a receiver of pages."""
    alike: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """All of one kind, by the incident with which they became too many."""


def terms_by(
    policy_of: PolicyOf,
    drop_with: Callable[[Callable[[], None]], object] = lambda _: None,
) -> TermsOf:
    """Return how terms are found; answers are remembered until they are dropped."""

    @lru_cache(TERMS_MAX)
    def terms_of(
        version: int,
        service: str,
        client: str | None,
        priority: Priority,
        reported_at: datetime,
        noticed: Noticed,
    ) -> ContractTerms | None:
        policy = policy_of(version)
        about = PromiseFacts(service, client, priority, reported_at, noticed)
        try:
            pledges = promised(policy, *about)
        except ValueError:  # a calendar that is never open: nothing is ever due
            return None
        pledge = pledges.get("ttr")
        if pledge is None:
            return None
        calendar = policy.contract(pledge.contract).calendar
        return ContractTerms(
            hours_of(policy.calendars[pledge.calendar]),
            hours_of(policy.calendars[calendar]),
            pledge.seconds,
            pledge.terms.levels,
            pledge.terms.ttr.paused_by,
            tuple(_desk_owes(policy, about)),
        )

    drop_with(terms_of.cache_clear)
    return terms_of


def _desk_owes(policy: Policy, about: PromiseFacts) -> Iterator[Limit]:
    for terms in covering(policy, about):
        seconds = owed_seconds(terms, "n1", "work", about.priority)
        if seconds is not None:
            hours = hours_of(policy.calendars[terms.calendar])
            yield Limit("ola", hours, seconds, terms.targets.ttr.paused_by)
