"""Pages people when an incident enters a level, and detects that nobody answered.

A step that is repeated follows after the same gap as between it and the step before;
for the first step the gap is a quarter of an hour. After the last attempt the same gap
is left for an answer; then nobody answered.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.escalation.rules.case import Case
from services.escalation.rules.context import Due, EscalationContext, on
from services.escalation.rules.levels import (
    belongs,
    escalated,
    found,
    named,
    team_above,
)
from shared.domain.events.escalation import (
    Escalated,
    EscalationAccepted,
    EscalationPaged,
    EscalationUnanswered,
)
from shared.domain.policy.document import Policy, unskilled
from shared.domain.policy.escalation import Page, PageTeam, Step

FIRST_GAP = timedelta(minutes=15)


class Try(NamedTuple):
    """One attempt of the paging plan."""

    due_at: datetime
    step: int
    loop: int
    page: Page
    unless_accepted: bool
    gap: timedelta
    """How long there is to answer before the same step is repeated."""


def answer_by(
    steps: Sequence[Step], step: int, loop: int, due_at: datetime
) -> datetime | None:
    """Return when the page after the one due at `due_at` is due, None for the last."""
    plan = {(each.step, each.loop): each.due_at for each in _rungs(steps, due_at)}
    here = plan[step, loop]
    wait = min((due - here for due in plan.values() if due > here), default=None)
    return None if wait is None else due_at + wait


def accepting(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the acceptance if a member of the level's team took the incident on."""
    post, claim = case.post, case.claim
    if post.level == "n1" or post.accepted_by or claim is None:
        return
    policy = known.policy_of(case.policy)
    if belongs(policy, post.team, claim.person):
        yield Due(case.changed_at, lambda at: [accepted(case, at, policy, *claim)])


def accepted(
    case: Case, at: datetime, policy: Policy, person: str, how: str
) -> EscalationAccepted:
    """Return the event by which `person` accepts the incident at its level."""
    return EscalationAccepted.model_validate(
        on(case, at)
        | {
            "cycle": case.cycle,
            "level": case.post.level,
            "person": person,
            "how": how,
            "unskilled": unskilled(policy, case.post.team, case.service, [person]),
        }
    )


def paging(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the remaining pages, then that nobody answered."""
    if not case.searches or case.post.level == "n1":
        return
    policy = known.policy_of(case.policy)
    tries = _plan(case, policy)
    left = [each for each in tries if _key(case, each) not in case.post.paged]
    if left:
        yield _page(case, min(left), policy)
        return
    if case.post.accepted_by or case.post.unanswered or not _climbs(case, policy):
        return
    last = max(tries)
    yield _nobody(case, last.due_at + last.gap, policy)


def _plan(case: Case, policy: Policy) -> list[Try]:
    """Return all pages of the level, including those already sent."""
    post = case.post
    if post.accepted_at is not None and post.accepted_at <= post.entered_at:
        return []
    return [
        each
        for each in _tries(case, policy)
        if not (post.accepted_by and each.unless_accepted)
        or _key(case, each) in post.paged
    ]


def _tries(case: Case, policy: Policy) -> Sequence[Try]:
    post = case.post
    if not _climbs(case, policy):
        page = PageTeam(team=post.team, who="members")
        return [Try(post.searched_from, 0, 1, page, True, FIRST_GAP)]
    return _rungs(policy.escalation.functional, post.searched_from)


def _rungs(steps: Sequence[Step], start: datetime) -> list[Try]:
    return [
        Try(
            start + step.after + (loop - 1) * gap,
            n,
            loop,
            step.page,
            step.unless == "accepted",
            gap,
        )
        for n, step in enumerate(steps)
        for gap in [_gap(steps, n)]
        for loop in range(1, step.repeat + 1)
    ]


def _climbs(case: Case, policy: Policy) -> bool:
    """Tell whether the steps of the policy apply to this level."""
    return case.post.level == "n2" and bool(policy.escalation.functional)


def _gap(steps: Sequence[Step], n: int) -> timedelta:
    return steps[n].after - steps[n - 1].after if n else FIRST_GAP


def _key(case: Case, tried: Try) -> str:
    post = case.post
    again = f".{post.returns}" if post.returns else ""
    return (
        f"{case.incident}.{case.cycle}.{case.policy}.{post.level}"
        f".{tried.step}.{tried.loop}{again}"
    )


def _page(case: Case, tried: Try, policy: Policy) -> Due:
    people = found(policy, tried.page, tried.due_at)
    asks_manager = tried.page.who == "manager"
    lacking = unskilled(policy, case.post.team, case.service, people)

    def events(at: datetime) -> list[EscalationPaged]:
        return [
            EscalationPaged(
                **on(case, at),
                cycle=case.cycle,
                level=case.post.level,
                step=tried.step,
                loop=tried.loop,
                key=_key(case, tried),
                **named(tried.page),
                people=people,
                unskilled=None if asks_manager else lacking,
                due_at=tried.due_at,
            )
        ]

    return Due(tried.due_at, events)


def _nobody(case: Case, when: datetime, policy: Policy) -> Due:
    """Nobody answered: the incident escalates, if there is a team above."""

    def events(at: datetime) -> list[EscalationUnanswered | Escalated]:
        unanswered = EscalationUnanswered(
            **on(case, at),
            cycle=case.cycle,
            level=case.post.level,
            unanswered_at=when,
        )
        team = team_above(case, policy)
        if team is None:
            return [unanswered]
        words = {"cause": "unanswered", "escalated_at": when}
        return [unanswered, escalated(case, at, policy, team, **words)]

    return Due(when, events)
