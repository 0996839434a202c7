"""What the answers to a page change in the search at a level: "not me", "another".

Somebody who declines is not paged again at this level, and the next attempt that pages
anybody new is due at once: attempts before it are left out, and later ones move with
it. Asking for another person has the same effect, and who asks may still accept.

The event names the attempt that follows, so the same history leads to the same pages
whatever the schedules say later.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from services.escalation.round_robin.rules import turn_in
from services.escalation.rules.case import Haste, LevelSearch
from shared.domain.events.escalation import (
    EscalationAnotherRequested,
    EscalationDeclined,
    EscalationPaged,
    EscalationStepSkipped,
)
from shared.domain.sla import whole

Attempt = tuple[int, int]
"""The step and the loop of an attempt."""


class Scheduled(NamedTuple):
    """When an attempt is due, and since when the time of its step counts."""

    due_at: datetime
    start: datetime


Plan = Mapping[Attempt, Scheduled]


def paged(post: LevelSearch, event: EscalationPaged) -> LevelSearch:
    """Return the search after a page."""
    asked = tuple(dict.fromkeys((*post.asked, *event.people)))
    sent = (*post.paged, event.key)
    turn = turn_in(event)
    turns = dict(post.turns) | ({} if turn is None else dict([turn]))
    of_teams = dict(post.team_channels)
    if event.team_channel is not None and event.channel is not None:
        of_teams[event.team_channel] = event.channel
    after = replace(
        post,
        paged=sent,
        asked=asked,
        all_declined_at=None,
        turns=tuple(turns.items()),
        team_channels=tuple(of_teams.items()),
    )
    if event.held_since is None:
        return after
    hold = (event.held_since, event.due_at)
    return replace(after, holds=tuple(dict.fromkeys((*post.holds, hold))))


def skipped(post: LevelSearch, event: EscalationStepSkipped) -> LevelSearch:
    """Return the search after an attempt that paged nobody."""
    return replace(post, paged=(*post.paged, event.key))


def declined(post: LevelSearch, event: EscalationDeclined) -> LevelSearch:
    """Return the search after somebody who was paged declined."""
    at, names = whole(event.at), (*post.declined, event.person)
    is_over = event.next_step is None and set(post.asked) <= set(names)
    after = replace(post, declined=names, all_declined_at=at if is_over else None)
    return _hastened(after, event)


def called(post: LevelSearch, event: EscalationAnotherRequested) -> LevelSearch:
    """Return the search after somebody who was paged asked for another person."""
    after = replace(post, called=(*post.called, (event.person, event.page)))
    return _hastened(after, event)


def _hastened(
    post: LevelSearch, event: EscalationDeclined | EscalationAnotherRequested
) -> LevelSearch:
    if event.next_step is None or event.next_loop is None:
        return post
    named = event.escalation_policy
    haste = Haste(whole(event.at), event.next_step, event.next_loop, named)
    return replace(post, hastened=(*post.hastened, haste))


def in_haste(plan: Plan, post: LevelSearch, named: str | None) -> Plan:
    """Return the plan of a named policy as the answers so far have moved it."""
    for haste in post.hastened:
        if haste.escalation_policy == named:
            plan = dict(_moved(plan, haste))
    return plan


def _moved(plan: Plan, haste: Haste) -> Iterator[tuple[Attempt, Scheduled]]:
    """Yield the attempts that are left.

    Those whose time began after the answer stay: a raised priority has added them.
    """
    target = plan.get((haste.step, haste.loop))
    if target is None or not target.start <= haste.at < target.due_at:
        yield from plan.items()
        return
    for attempt, each in plan.items():
        if each.start > haste.at or each.due_at <= haste.at:
            yield attempt, each
        elif each.due_at >= target.due_at:
            sooner = each.due_at - (target.due_at - haste.at)
            yield attempt, each._replace(due_at=sooner)


def next_attempt(
    plan: Plan,
    post: LevelSearch,
    at: datetime,
    people: Callable[[Attempt], Iterable[str]],
) -> Attempt | None:
    """Return the first attempt after `at` that pages anybody new, None without one.

    `people` returns whom an attempt pages if it is made at `at`.
    """
    known = {*post.asked, *post.declined}
    later = sorted(
        (each.due_at, attempt) for attempt, each in plan.items() if each.due_at > at
    )
    return next(
        (attempt for _, attempt in later if not known.issuperset(people(attempt))),
        None,
    )


def who_is_left(
    post: LevelSearch, people: Iterable[str], wants_others: bool
) -> tuple[str, ...]:
    """Return those of the people who have not declined.

    If it wants others than those who accepted it, these are left out as well.
    """
    out = {*post.declined, *(post.takers if wants_others else ())}
    return tuple(each for each in people if each not in out)
