"""Whom a page of the policy means at an instant."""

from datetime import datetime
from typing import Any

from shared.domain.on_call import next_on_call, on_call
from shared.domain.policy.document import Policy
from shared.domain.policy.escalation import Page, PageSchedule, PageTeam


def found(policy: Policy, page: Page, at: datetime) -> tuple[str, ...]:
    """Return the people a page means at `at`, each once."""
    match page:
        case PageSchedule(schedule=name, who="on_call"):
            return (on_call(policy.schedules[name], at),)
        case PageSchedule(schedule=name):
            return (next_on_call(policy.schedules[name], at),)
        case PageTeam(team=name, who="manager"):
            return (policy.teams[name].manager,)
        case PageTeam(team=name):
            return tuple(dict.fromkeys(policy.teams[name].members))


def named(page: Page) -> dict[str, Any]:
    """Return how an event names what a page says."""
    match page:
        case PageSchedule(schedule=name, who=who):
            return {"schedule": name, "who": who}
        case PageTeam(team=name, who=who):
            return {"team": name, "who": who}


def belongs(policy: Policy, team: str, person: str) -> bool:
    """Tell whether somebody is of a team, or manages it."""
    found = policy.teams.get(team)
    return found is not None and person in {*found.members, found.manager}
