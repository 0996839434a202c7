"""Whom a policy pages first at an instant: by service, team and priority. Pure.

What the rules decide of a step, they decide here; a whole escalation is shown by
`preview`.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.escalation.rules.page_targets import (
    RosterOf,
    StepPlan,
    escalation_policy_of,
    held_until,
    plan_of,
    target_of,
)
from shared.domain.on_call import is_within
from shared.domain.policy.document import Policy
from shared.domain.policy.escalation import PRIORITIES, Step
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import SupportLevel


@dataclass(frozen=True, slots=True)
class FirstPage:
    """The first page of a team about some services and priorities."""

    team: str
    level: SupportLevel
    services: tuple[str, ...]
    priorities: tuple[Priority, ...]
    escalation: str | None
    """The team's escalation policy; None for the shared steps."""
    after: timedelta
    people: tuple[str, ...]
    """Whom it pages; nobody if no step pages people about it, or all are asleep."""
    quiet: bool = False
    by_turns: bool = False
    """Only one of them is paged."""
    nobody_on_call: bool = False
    """They are paged since the schedule has a gap."""


class _Asked(NamedTuple):
    """Incidents that a policy treats alike, except for their services."""

    team: str
    level: SupportLevel
    escalation: str | None
    priority: Priority


class LookUp(NamedTuple):
    """What a page depends on besides the policy."""

    roster_of: RosterOf
    zone_of: Callable[[str], str | None] = lambda _person: None
    """The time zone of a person; None for that of the desk."""


def first_pages(policy: Policy, at: datetime, look_up: LookUp) -> list[FirstPage]:
    """Return the first pages of incidents that come to each team at `at`."""
    alike: dict[FirstPage, tuple[Priority, ...]] = {}
    for asked, services in _services(policy).items():
        page = _first(policy, asked, tuple(services), at, look_up)
        alike[page] = (*alike.get(page, ()), asked.priority)
    return [replace(page, priorities=found) for page, found in alike.items()]


def _services(policy: Policy) -> Mapping[_Asked, Sequence[str]]:
    """Return the services of each team above n1, by what else matters."""
    found: dict[_Asked, list[str]] = defaultdict(list)
    for service, written in policy.services.items():
        for team in written.support:
            level = policy.teams[team].level if team in policy.teams else None
            if level is None or level == "n1":
                continue
            for priority in PRIORITIES:
                named = escalation_policy_of(policy, team, service, priority)
                found[_Asked(team, level, named, priority)].append(service)
    return found


def _first(
    policy: Policy,
    asked: _Asked,
    services: tuple[str, ...],
    at: datetime,
    look_up: LookUp,
) -> FirstPage:
    plan = plan_of(policy, asked.escalation, asked.level)
    steps = plan.steps or (_ALL_MEMBERS,)
    nothing = FirstPage(
        asked.team, asked.level, services, (), asked.escalation, timedelta(), ()
    )
    pages = (
        _page(policy, nothing, plan, step, at, look_up)
        for step in sorted(steps, key=attrgetter("after"))
        if step.is_for(asked.priority)
    )
    return next((page for page in pages if page.people), nothing)


_ALL_MEMBERS = Step.model_validate({"after": "0m", "page": {"who": "members"}})
"""What a team without steps has."""


def _page(
    policy: Policy,
    asked: FirstPage,
    plan: StepPlan,
    step: Step,
    at: datetime,
    look_up: LookUp,
) -> FirstPage:
    """Return the page of a step; without people if it is out of hours for all."""
    due = at + step.after
    if plan.when_nobody == "hold":
        due = held_until(policy, step.pages, asked.team, due, look_up.roster_of)

    def is_awake(person: str) -> bool:
        zone = look_up.zone_of(person) or policy.desk.timezone
        return step.hours is None or is_within(step.hours, ZoneInfo(zone), due)

    targets = [
        target_of(policy, page, asked.team, due, look_up.roster_of, plan.when_nobody)
        for page in step.pages
    ]
    people = (person for target in targets for person in target.people)
    return replace(
        asked,
        after=due - at,
        people=tuple(dict.fromkeys(filter(is_awake, people))),
        quiet=bool(step.quiet),
        by_turns=any(getattr(page, "round_robin", False) for page in step.pages),
        nobody_on_call=any(target.nobody_on_call for target in targets),
    )
