"""Whom a policy pages first at an instant: by service, team and priority. Pure.

What the rules decide of a step, they decide here; a whole escalation is shown by
`preview`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from services.escalation.rules.page_targets import (
    RosterOf,
    escalation_policy_of,
    held_until,
    plan_of,
    target_of,
)
from shared.domain.policy.document import Policy
from shared.domain.policy.escalation import PRIORITIES, Page, PageTeam
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
    """Whom it pages; nobody if no step is for the priority, or it pages a channel."""
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


def first_pages(policy: Policy, at: datetime, roster_of: RosterOf) -> list[FirstPage]:
    """Return the first pages of incidents that come to each team at `at`."""
    alike: dict[FirstPage, tuple[Priority, ...]] = {}
    for asked, services in _services(policy).items():
        page = _first(policy, asked, tuple(services), at, roster_of)
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
    roster_of: RosterOf,
) -> FirstPage:
    plan = plan_of(policy, asked.escalation, asked.level)
    steps = [each for each in plan.steps if each.is_for(asked.priority)]
    step = min(steps, key=attrgetter("after"), default=None)
    nothing = FirstPage(
        asked.team, asked.level, services, (), asked.escalation, timedelta(), ()
    )
    if plan.steps and step is None:
        return nothing
    members: tuple[Page, ...] = (PageTeam(who="members"),)
    pages = members if step is None else step.pages
    after = timedelta() if step is None else step.after
    due = at + after
    if plan.when_nobody == "hold":
        due = held_until(policy, pages, asked.team, due, roster_of)
    targets = [
        target_of(policy, page, asked.team, due, roster_of, plan.when_nobody)
        for page in pages
    ]
    people = (person for target in targets for person in target.people)
    return replace(
        nothing,
        after=due - at,
        people=tuple(dict.fromkeys(people)),
        quiet=bool(step and step.quiet),
        by_turns=any(getattr(page, "round_robin", False) for page in pages),
        nobody_on_call=any(target.nobody_on_call for target in targets),
    )
