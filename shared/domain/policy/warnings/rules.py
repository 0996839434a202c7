"""What is hardly meant: targets out of order, pages of other people or of nobody."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import assert_never

from shared.domain.policy.document import Policy
from shared.domain.policy.durations import duration_text
from shared.domain.policy.escalation import (
    PRIORITIES,
    Page,
    PageChannel,
    PagePerson,
    PageSchedule,
    PageTeam,
    Plan,
    plans,
)
from shared.domain.policy.priorities import Priority
from shared.domain.policy.schedules import group
from shared.domain.policy.targets import NextUpdate, TargetSet, TimeToOwn, TimeToResolve
from shared.domain.policy.teams import Team
from shared.mistake import Path, Wrong


def implausible(policy: Policy) -> Iterator[Wrong]:
    """Yield what is allowed but hardly meant, such as slower targets for P1."""
    for name, targets in policy.targets.items():
        for kind in ("tto", "ttr", "update"):
            yield from _disordered(getattr(targets, kind), ("targets", name, kind))
        yield from _owned_after_resolved(targets, ("targets", name, "tto"))
    for plan in plans(policy.escalation):
        yield from _pages_of_other_teams(policy, plan)
        yield from _steps_for_nobody(policy, plan)


def _disordered(
    times: TimeToOwn | TimeToResolve | NextUpdate, path: Path
) -> Iterator[Wrong]:
    given: list[tuple[Priority, timedelta]] = [
        (priority, time)
        for priority in PRIORITIES
        if (time := getattr(times, priority)) is not None
    ]
    for (urgent, long), (less, short) in pairwise(given):
        if long > short:
            sentence = (
                f"{urgent.upper()} has {duration_text(long)}, which is slower than "
                f"{less.upper()} with {duration_text(short)}: is that meant?"
            )
            yield (*path, urgent), sentence


def _owned_after_resolved(targets: TargetSet, path: Path) -> Iterator[Wrong]:
    for priority in PRIORITIES:
        own, resolve = getattr(targets.tto, priority), getattr(targets.ttr, priority)
        if own > resolve:
            sentence = (
                f"taking it on may take {duration_text(own)}, longer than all of TTR "
                f"({duration_text(resolve)}): is that meant?"
            )
            yield (*path, priority), sentence


def _pages_of_other_teams(policy: Policy, plan: Plan) -> Iterator[Wrong]:
    """Yield each page of people of whom none is of a team that has this step.

    Any step may page a manager.
    """
    managers = {team.manager for team in policy.teams.values()}
    for place, step in enumerate(plan.steps):
        priorities = [each for each in PRIORITIES if step.is_for(each)]
        teams = {
            name: {*team.members, team.manager}
            for name, team in policy.teams.items()
            if any(_has(team, plan.name, each) for each in priorities)
        }
        for number, page in enumerate(step.pages):
            key, people, instead = _named(policy, page)
            if not people or people <= managers:
                continue
            strangers = sorted(name for name in teams if people.isdisjoint(teams[name]))
            if strangers:
                at = (number,) if isinstance(step.page, tuple) else ()
                path: Path = (*plan.steps_path, place, "page", *at, key)
                whom, of = getattr(page, key), ", ".join(strangers)
                yield path, f"pages {whom} for incidents of {of}, {instead}"


def _has(team: Team, named: str | None, priority: Priority) -> bool:
    """Return whether some incidents of a team have the steps of a policy."""
    if not isinstance(team.escalation, tuple):
        return team.escalation == named and (named is not None or team.level == "n2")
    choices = [
        choice
        for choice in team.escalation
        if choice.priorities is None or priority in choice.priorities
    ]
    if named is not None:
        return any(choice.policy == named for choice in choices)
    return team.level == "n2" and all(each.services is not None for each in choices)


def _named(policy: Policy, page: Page) -> tuple[str, set[str], str]:
    """Return by which key a page names people, these, and what to write instead.

    Nobody, if it means the team that has the incident, its manager or a channel.
    """
    match page:
        case PageSchedule(schedule=str(name)) if name in policy.schedules:
            people = {
                person
                for layer in policy.schedules[name].all_layers()
                for participant in layer.rotation.participants
                for person in group(participant)
            }
            return "schedule", people, _OTHER_SCHEDULE
        case PageTeam(team=str(name), who="members") if name in policy.teams:
            return "team", {*policy.teams[name].members}, _OTHER_TEAM
        case PagePerson(person=person):
            return "person", {person}, _OTHER_PERSON
        case PageSchedule() | PageTeam() | PageChannel():
            return "", set(), ""
        case _:
            assert_never(page)


_OTHER_SCHEDULE = (
    "whose people do not take part in it: leave `schedule` out, and name the "
    "`schedule` of each team under `teams`"
)
_OTHER_TEAM = "who are other people: leave `team` out, to page the team that has them"
_OTHER_PERSON = (
    "and is not one of its people: page the team that has them, or give each team "
    "steps of its own under `escalation.policies`"
)


def _steps_for_nobody(policy: Policy, plan: Plan) -> Iterator[Wrong]:
    """Yield the steps that leave a priority out, and pages of a role nobody has."""
    chosen = {
        choice.policy
        for team in policy.teams.values()
        if isinstance(team.escalation, tuple)
        for choice in team.escalation
    }
    steps = plan.steps
    lacking = [p.upper() for p in PRIORITIES if not any(s.is_for(p) for s in steps)]
    if steps and lacking and plan.name not in chosen:
        why = f"pages nobody for {', '.join(lacking)}: add a step, which may be "
        yield plan.path, f"{why}`quiet`; until then only the manager is told"
    for place, step in enumerate(steps):
        for page in step.pages:
            if isinstance(page, PageSchedule) and _has_nobody(policy, page):
                why = f"nobody is ever {page.role} in {page.schedule}: add a layer "
                yield (*plan.steps_path, place, "page"), f"{why}with this `role`"


def _has_nobody(policy: Policy, page: PageSchedule) -> bool:
    held = policy.schedules.get(page.schedule or "")
    return held is not None and page.role not in {
        layer.role for layer in held.all_layers()
    }
