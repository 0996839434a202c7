"""The look-ups that the rules use: policies, contract terms, problems, budgets. Pure.

Also the result type of every rule, `Due`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from services.escalation.round_robin.rules import Turn
from services.escalation.rules.budget import Crossing
from services.escalation.rules.case import Case
from services.escalation.rules.page_targets import RosterOf
from shared.domain.contact_methods import ContactMethod, ContactMethods
from shared.domain.events import AnyEvent
from shared.domain.events.contact_method import DIRECTORY_MAIL
from shared.domain.incident.state import Noticed
from shared.domain.policy.document import Policy
from shared.domain.policy.durations import Dwell
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import PauseReason, SupportLevel
from shared.domain.sla import PromiseFacts, covering, owed_seconds, promised
from shared.domain.working_time import Hours, hours_of

BY = "system:escalation"


class Due(NamedTuple):
    """Events that become due at an instant; `events` creates them as of now."""

    when: datetime
    events: Callable[[datetime], Sequence[AnyEvent]]
    last: Callable[[datetime], "Due"] | None = None
    """Of what repeats: returns the last repetition until an instant, which counts for
    those before it."""


def on(case: Case, at: datetime) -> dict[str, Any]:
    """Return the fields that all decisions about an incident have in common."""
    return {"incident": case.incident, "policy": case.policy, "at": at, "by": BY}


PROPOSED_MAX = 20
"""Problems that are listed if several match, since the size of an event is limited."""


class OpenProblems(NamedTuple):
    """Open problems that match an incident, oldest first, by what they share."""

    of_signature: Sequence[str] = ()
    """Problems with an incident of the same signature."""
    of_service: Sequence[str] = ()


PolicyOf = Callable[[int], Policy]
TERMS_MAX = 4_096
"""Size of the cache; most questions about one incident are the same."""


class Limit(NamedTuple):
    """How many working seconds of `hours` an incident may stay at a level, and why."""

    cause: Literal["dwell", "ola"]
    hours: Hours
    seconds: int
    paused_by: tuple[PauseReason, ...]


@dataclass(frozen=True)
class ContractTerms:
    """The contract's terms for the time to resolve.

    `hours` are the hours in which that time passes, `desk_hours` those of the contract.
    """

    hours: Hours
    desk_hours: Hours
    seconds: int
    levels: Mapping[SupportLevel, tuple[Dwell, ...]]
    paused_by: tuple[PauseReason, ...]
    desk_owes: tuple[Limit, ...] = ()
    """The OLA of n1, one limit per contract."""

    def limits(self, level: SupportLevel) -> Iterator[Limit]:
        """Yield the limits of a stay at the level; the first to be reached counts."""
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
"""By policy version, service, client, priority, reporting instant and report kind."""


MethodsOf = Callable[[Sequence[str]], Mapping[str, ContactMethods]]
"""Returns how people are reached as of now: a plan that follows from it is recorded."""
_BY_MAIL = ContactMethods(
    {DIRECTORY_MAIL: ContactMethod(DIRECTORY_MAIL, "mail", is_verified=True)}
)


def everybody_by_mail(people: Sequence[str]) -> Mapping[str, ContactMethods]:
    """Return for each person the address in the directory, verified."""
    return dict.fromkeys(people, _BY_MAIL)


@dataclass(frozen=True)
class EscalationContext:
    """Look-ups whose answers do not depend on when they are asked.

    Except for `roster_of`, `newest_policy` and contact methods: what follows from these
    is recorded.
    """

    policy_of: PolicyOf
    terms_of: TermsOf
    open_problems: Callable[[str | None, str, int], OpenProblems]
    """By incident, service and position: what matches either and was open then."""
    crossing: Callable[[int], Crossing | None]
    """The crossing of a service's budget by the event at a position, if any."""
    rest_of_moment: Callable[[str, int, datetime], Sequence[AnyEvent]]
    """Events after a version of a stream that were recorded at the same instant."""
    roster_of: RosterOf
    newest_policy: Callable[[], Policy | None]
    """The policy in force: only commands ask it, whose outcome is recorded."""
    workaround: Callable[[str, int], int | None] = lambda _problem, _position: None
    """Version of an open problem's newest workaround before a position of the log."""
    webhook: bool = False
    """Whether a receiver of pages is configured."""
    methods_of: MethodsOf = everybody_by_mail
    is_alarmed: Callable[[str], bool] = lambda _person: False
    """Whether managers know that a person has no verified contact method."""
    note: Callable[[AnyEvent], object] = lambda _decision: None
    """Keeps what decisions about other incidents have to know of one, at once."""
    last_turn: Callable[[str], Turn | None] = lambda _target: None
    """The last turn of a target that is paged by turns, by its key."""
    zone_of: Callable[[str], str | None] = lambda _person: None
    """The time zone of a person, None for that of the desk."""
    alike: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Incidents with the same signature, by the incident that reached the threshold."""


def terms_by(
    policy_of: PolicyOf,
    drop_with: Callable[[Callable[[], None]], object] = lambda _: None,
) -> TermsOf:
    """Return a cached look-up of contract terms; `drop_with` registers its reset."""

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
        except ValueError:  # the calendar is never open: nothing is ever due
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
