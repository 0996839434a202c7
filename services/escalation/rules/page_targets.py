"""Whose steps apply to an incident, and whom a page means.

A team with an escalation policy of its own has its steps; other teams share those of
`escalation.functional`. A page that names no schedule and no team means the team that
has the incident: two teams at one level page their own people.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias, assert_never

from shared.domain.on_call import (
    Roster,
    first_on_call,
    next_on_call,
    on_call,
    previous_on_call,
)
from shared.domain.policy.document import Policy
from shared.domain.policy.escalation import (
    EscalationPolicy,
    NobodyOnCall,
    Page,
    PageChannel,
    PagePerson,
    PageSchedule,
    PageTeam,
    Step,
)
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import SupportLevel

RosterOf: TypeAlias = Callable[[Policy, str, datetime], Roster]
"""Returns a schedule of a policy with what people have changed of it until now.

It may leave out what matters only long before the given instant.
"""


class Target(NamedTuple):
    """A page with the names that it leaves out, and the people that it means."""

    page: Page
    people: tuple[str, ...]
    nobody_on_call: bool = False
    """The schedule has a gap: the people are those who are paged instead."""


class StepPlan(NamedTuple):
    """The steps that apply to an incident, and how far they go."""

    steps: Sequence[Step]
    repeat: int = 1
    """How often all of them are gone through."""
    when_nobody: Page | Literal["hold"] | None = None
    """In a gap of a schedule: whom to page, or to wait. None: as the policy says."""


def escalation_policy_of(
    policy: Policy, team: str, service: str, priority: Priority
) -> str | None:
    """Return the name of the escalation policy for an incident of a team.

    None for the shared steps.
    """
    own = policy.teams.get(team)
    return own.escalation_for(service, priority) if own else None


def plan_of(policy: Policy, named: str | None, level: SupportLevel) -> StepPlan:
    """Return the steps of a named policy, and how often and how far they go.

    Without a name, the shared steps.
    """
    steps = policy.escalation.steps_of(named, level)
    match policy.escalation.policies.get(named or ""):
        case EscalationPolicy(repeat=repeat, when_nobody=instead):
            page = instead.page if isinstance(instead, NobodyOnCall) else instead
            return StepPlan(steps, repeat, page)
        case _:
            return StepPlan(steps)


def target_of(
    policy: Policy,
    page: Page,
    team: str,
    at: datetime,
    roster_of: RosterOf,
    when_nobody: Page | Literal["hold"] | None = None,
) -> Target:
    """Return whom a page means at `at` for an incident of `team`."""
    own = team if team in policy.teams else policy.desk.team
    page = _with_names(policy, page, own)
    people = _people(policy, page, own, at, roster_of)
    if people or isinstance(page, PageChannel):
        return Target(page, people)
    # A gap in the schedule: nobody must not be told.
    instead = None if when_nobody == "hold" else when_nobody
    if instead is None and policy.escalation.nobody_on_call is not None:
        instead = policy.escalation.nobody_on_call.page
    if instead is not None:
        named = _with_names(policy, instead, own)
        people = _people(policy, named, own, at, roster_of)
    return Target(page, people or (policy.teams[own].manager,), nobody_on_call=True)


def held_until(
    policy: Policy,
    pages: Sequence[Page],
    team: str,
    at: datetime,
    roster_of: RosterOf,
) -> datetime:
    """Return when a step that waits for somebody on call is due, at `at` or later.

    It waits if each of its pages is of a schedule in a gap; if the gap has no end
    within 400 days, it does not.
    """
    own = team if team in policy.teams else policy.desk.team
    named = [_with_names(policy, page, own) for page in pages]
    found: list[datetime] = []
    for page in named:
        if not isinstance(page, PageSchedule) or _people(
            policy, page, own, at, roster_of
        ):
            return at
        roster = roster_of(policy, str(page.schedule), at)
        if (first := first_on_call(roster, at, page.role)) is not None:
            found.append(first)
    return min(found, default=at)


def _with_names(policy: Policy, page: Page, team: str) -> Page:
    match page:
        case PageSchedule(schedule=None, round_robin=by_turns):
            schedule = policy.teams[team].schedule
            if schedule is None:
                return PageTeam(team=team, who="members", round_robin=by_turns)
            return page.model_copy(update={"schedule": schedule})
        case PageTeam(team=None):
            return page.model_copy(update={"team": team})
        case _:
            return page


def _people(
    policy: Policy, page: Page, team: str, at: datetime, roster_of: RosterOf
) -> tuple[str, ...]:
    """Return the people a page means at `at`, without duplicates."""
    match page:
        case PageSchedule(schedule=name, who=who, role=role):
            return _FINDERS[who](roster_of(policy, str(name), at), at, role)
        case PageTeam(team=name, who="manager"):
            return (policy.teams[name or team].manager,)
        case PageTeam(team=name):
            return tuple(dict.fromkeys(policy.teams[name or team].members))
        case PagePerson(person=person):
            return (person,)
        case PageChannel():
            return ()
        case _:
            assert_never(page)


_FINDERS = {"on_call": on_call, "next": next_on_call, "previous": previous_on_call}


def page_fields(policy: Policy, page: Page) -> dict[str, Any]:
    """Return the fields by which an event names the target of a page."""
    match page:
        case PageSchedule(schedule=name, who=who, role="primary"):
            return {"schedule": name, "who": who}
        case PageSchedule(schedule=name, who=who, role=role):
            return {"schedule": name, "who": who, "role": role}
        case PageTeam(team=name, who=who):
            return {"team": name, "who": who}
        case PagePerson():
            return {"who": "person"}
        case PageChannel(channel=name) if page.is_of_team:
            of_team = policy.team_channel(name)
            channel = of_team.channel if of_team else None
            return {"who": "channel", "channel": channel, "team_channel": name}
        case PageChannel(channel=name):
            return {"who": "channel", "channel": name}
        case _:
            assert_never(page)
