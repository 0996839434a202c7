"""What the rules look up: policies, contracts' terms, problems, what comes next."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple

from services.escalation.budget import Crossing
from services.escalation.problem_match import OpenProblems
from shared.domain.events import AnyEvent
from shared.domain.incident.state import Noticed
from shared.domain.policy.document import Policy
from shared.domain.policy.durations import Dwell
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import PauseReason, SupportLevel
from shared.domain.sla import PromiseFacts, covering, owed_seconds, promised
from shared.domain.working_time import Hours, hours_of

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
class Terms:
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


TermsOf = Callable[[int, str, str | None, Priority, datetime, Noticed], Terms | None]
"""By policy version, service, client, priority, instant and kind of the report."""


@dataclass(frozen=True)
class Known:
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
    ) -> Terms | None:
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
        return Terms(
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
