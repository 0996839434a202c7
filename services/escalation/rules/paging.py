"""Whom the policy pages for an escalation: the people of a level.

People are paged when an incident enters a level. A step that is repeated follows after
the same gap as between it and the step before; for the first step the gap is a quarter
of an hour; a step may define its own. After the last attempt the same gap is left for
an answer; then nobody answered.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from operator import itemgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from services.escalation.page_conditions import (
    UNTIL_ACCEPTED,
    PageCondition,
    condition_of_step,
    holds,
)
from services.escalation.round_robin.rules import Turn, next_turn, target_key
from services.escalation.rules.case import Case, Standing
from services.escalation.rules.context import Due, EscalationContext, on
from services.escalation.rules.levels import escalated, team_above
from services.escalation.rules.page_answers import (
    Attempt,
    Scheduled,
    in_haste,
    next_attempt,
    who_is_left,
)
from services.escalation.rules.page_targets import (
    StepPlan,
    Target,
    escalation_policy_of,
    held_until,
    page_fields,
    plan_of,
    target_of,
)
from shared.domain.events.escalation import (
    Escalated,
    EscalationPaged,
    EscalationStepSkipped,
    EscalationUnanswered,
)
from shared.domain.on_call import is_within
from shared.domain.policy.calendars import WeekOfWindows
from shared.domain.policy.document import Policy, unskilled
from shared.domain.policy.escalation import Page, PageChannel, PageTeam, Step
from shared.domain.policy.priorities import Priority

FIRST_GAP = timedelta(minutes=15)


class Try(NamedTuple):
    """One attempt of the paging plan."""

    due_at: datetime
    step: int
    loop: int
    pages: tuple[Page, ...]
    gap: timedelta
    """How long there is to answer before the same step is repeated."""
    start: datetime
    """Since when the time of the step counts."""
    condition: PageCondition
    hours: WeekOfWindows | None = None
    quiet: bool = False
    held_since: datetime | None = None


def answer_by(
    plan: StepPlan, priority: Priority, step: int, loop: int, due_at: datetime
) -> datetime | None:
    """Return when the page after the one due at `due_at` is due, None for the last."""
    tries = _rungs(plan, priority, lambda _: due_at)
    due = {(each.step, each.loop): each.due_at for each in tries}
    here = due.get((step, loop))
    if here is None:
        return None
    wait = min((at - here for at in due.values() if at > here), default=None)
    return None if wait is None else due_at + wait


def pages(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the remaining pages, then that nobody answered."""
    if not case.searches or case.post.level == "n1":
        return
    policy = known.policy_of(case.policy)
    tries = _plan(case, known, policy)
    is_sought = not (case.post.accepted_by or case.post.unanswered)
    refused_at = case.post.all_declined_at
    if is_sought and refused_at is not None:
        yield _unanswered(case, refused_at, policy)
        return
    left = (tried for tried in tries if _is_left(case, tried, policy))
    if (tried := next(left, None)) is not None:
        yield _page(case, tried, known, policy)
    elif is_sought and climbs(case, policy):
        last = max(tries)
        yield _unanswered(case, last.due_at + last.gap, policy)


def attempt_after(case: Case, at: datetime, known: EscalationContext) -> Attempt | None:
    """Return the attempt that pages somebody new if it is made now, None if none does.

    It is one of those that are due later than `at`.
    """
    policy = known.policy_of(case.policy)
    tries = {
        (each.step, each.loop): each
        for each in _plan(case, known, policy)
        if _is_left(case, each, policy)
    }
    plan = {
        attempt: Scheduled(each.due_at, each.start) for attempt, each in tries.items()
    }

    def people(attempt: Attempt) -> Iterator[str]:
        now = tries[attempt]._replace(due_at=at)
        for target in _targets(case, now, known, policy):
            yield from target["people"]

    return next_attempt(plan, case.post, at, people)


def _is_left(case: Case, tried: Try, policy: Policy) -> bool:
    is_made = _page_key(case, tried, policy) in case.post.paged
    return not is_made and holds(case, tried.condition)


def _plan(case: Case, known: EscalationContext, policy: Policy) -> list[Try]:
    """Return all pages of the level by instant, including those already sent.

    Without those that were left out since somebody declined or asked for another.
    """
    post = case.post
    if post.accepted_at is not None and post.accepted_at <= post.entered_at:
        return []
    tries = _tries(case, known, policy)
    plan = {
        (each.step, each.loop): Scheduled(each.due_at, each.start) for each in tries
    }
    due = in_haste(plan, post, policy_name(case, policy))
    left = (
        each._replace(due_at=due[each.step, each.loop].due_at)
        for each in tries
        if (each.step, each.loop) in due
    )
    return sorted(left, key=itemgetter(0, 1, 2))


def _tries(case: Case, known: EscalationContext, policy: Policy) -> Sequence[Try]:
    plan, start = chosen_steps(case, policy)
    if not plan.steps:
        page = PageTeam(who="members")
        return [Try(start, 0, 1, (page,), FIRST_GAP, start, UNTIL_ACCEPTED)]
    tries = _rungs(plan, case.priority, partial(_start_of, case, start))
    if plan.when_nobody == "hold":
        return [*_held(case, sorted(tries, key=itemgetter(0, 1, 2)), known, policy)]
    return tries


def _start_of(case: Case, start: datetime, step: Step) -> datetime:
    """Return when the time of a step begins: at the level, and with its priority."""
    if step.priorities is None:
        return start
    since = case.since_when(lambda each: step.is_for(each.priority))
    return max(start, since or start)


def chosen_steps(case: Case, policy: Policy) -> tuple[StepPlan, datetime]:
    """Return the steps for the incident, and since when they apply to it."""
    team, post = case.post.team, case.post
    named = policy_name(case, policy)

    def is_same(standing: Standing) -> bool:
        service, priority = standing.service, standing.priority
        return escalation_policy_of(policy, team, service, priority) == named

    since = case.since_when(is_same) or post.searched_from
    return plan_of(policy, named, post.level), max(post.searched_from, since)


def policy_name(case: Case, policy: Policy) -> str | None:
    """Return the name of the escalation policy that applies to the incident now."""
    return escalation_policy_of(policy, case.post.team, case.service, case.priority)


def _rungs(
    plan: StepPlan, priority: Priority, start_of: Callable[[Step], datetime]
) -> list[Try]:
    own = [*_with_gaps(plan.steps, priority)]
    lasts = [step.after + step.repeat * gap for _, step, gap in own]
    whole = max(lasts, default=timedelta())
    return [
        Try(
            start_of(step) + turn * whole + step.after + (loop - 1) * gap,
            n,
            turn * step.repeat + loop,
            step.pages,
            gap,
            start_of(step),
            condition_of_step(step),
            step.hours,
            bool(step.quiet),
        )
        for turn in range(plan.repeat)
        for n, step, gap in own
        for loop in range(1, step.repeat + 1)
    ]


def _with_gaps(
    steps: Sequence[Step], priority: Priority
) -> Iterator[tuple[int, Step, timedelta]]:
    """Yield the steps for a priority: index, step, and how long there is to answer."""
    before: Step | None = None
    for n, step in enumerate(steps):
        if step.is_for(priority):
            gap = step.after - before.after if before else FIRST_GAP
            yield n, step, step.answer_within or gap
            before = step


def _held(
    case: Case, tries: Iterable[Try], known: EscalationContext, policy: Policy
) -> Iterator[Try]:
    """Yield the pages later by the times in which nobody was on call for them.

    Those that were made say how long they waited: only the others need the schedules.
    """
    holds = [*case.post.holds]
    for tried in tries:
        due = _after_holds(tried, holds)
        if _page_key(case, tried, policy) in case.post.paged:
            yield tried._replace(due_at=due)
            continue
        at = held_until(policy, tried.pages, case.post.team, due, known.roster_of)
        if at > due:
            holds.append((due, at))
        yield tried._replace(due_at=at, held_since=due if at > due else None)


def _after_holds(tried: Try, holds: Iterable[tuple[datetime, datetime]]) -> datetime:
    """Return when an attempt is due after the times for which steps before it waited.

    A time that began before its own does not count.
    """
    due = tried.due_at
    for since, until in holds:
        if tried.start <= since <= due:
            due += until - since
    return due


def wait_for_acknowledgement(case: Case, known: EscalationContext) -> bool:
    """Return whether somebody is still to be paged unless it is acknowledged."""
    policy = known.policy_of(case.policy)
    return any(
        tried.condition.unless == "acknowledged"
        and _page_key(case, tried, policy) not in case.post.paged
        for tried in _plan(case, known, policy)
    )


def climbs(case: Case, policy: Policy) -> bool:
    """Return whether a step of the policy applies to the incident at its level."""
    plan, _ = chosen_steps(case, policy)
    return any(step.is_for(case.priority) for step in plan.steps)


def _page_key(case: Case, tried: Try, policy: Policy) -> str:
    post = case.post
    return (
        f"{case.incident}.{case.cycle}.{case.policy}.{post.level}"
        f".{tried.step}.{tried.loop}{post.stay}{_choice(case, policy)}"
    )


def _choice(case: Case, policy: Policy) -> str:
    """Return the part of a key that tells the policies of one team apart."""
    own = policy.teams.get(case.post.team)
    if own is None or not isinstance(own.escalation, tuple):
        return ""
    return f".by-{policy_name(case, policy) or ''}"


def _page(case: Case, tried: Try, known: EscalationContext, policy: Policy) -> Due:
    """Return the pages of one attempt, or that it pages nobody."""

    def events(at: datetime) -> list[EscalationPaged | EscalationStepSkipped]:
        # Only now: an override may have come since the page before.
        targets = [*_targets(case, tried, known, policy)]
        common = on(case, at) | {
            "cycle": case.cycle,
            "level": case.post.level,
            "step": tried.step,
            "loop": tried.loop,
            "escalation_policy": policy_name(case, policy),
            "due_at": tried.due_at,
        }
        if not targets:
            cause = _why_nobody(case, tried, known, policy)
            words = {"key": _page_key(case, tried, policy), "cause": cause}
            return [EscalationStepSkipped.model_validate(common | words)]
        common |= {"quiet": tried.quiet, "held_since": tried.held_since}
        if tried.condition.acknowledgements > 1:
            common["acknowledgements"] = tried.condition.acknowledgements
        return [EscalationPaged.model_validate(common | each) for each in targets]

    return Due(tried.due_at, events)


def _why_nobody(
    case: Case, tried: Try, known: EscalationContext, policy: Policy
) -> str:
    """Return why an attempt pages nobody: a gap in a schedule has a substitute."""
    if all(isinstance(page, PageChannel) for page in tried.pages):
        return "no_receiver"
    meant = _meant(case, tried, known, policy)
    people = (person for target in meant for person in target.people)
    awake = {each for each in people if _is_awake(each, tried, known, policy)}
    if not awake:
        return "out_of_hours"
    return "declined" if awake & {*case.post.declined} else "accepted"


def _meant(
    case: Case, tried: Try, known: EscalationContext, policy: Policy
) -> Iterator[Target]:
    """Yield the people that each page of an attempt means."""
    plan, _ = chosen_steps(case, policy)
    for page in tried.pages:
        yield target_of(
            policy,
            page,
            case.post.team,
            tried.due_at,
            known.roster_of,
            plan.when_nobody,
        )


def _targets(
    case: Case, tried: Try, known: EscalationContext, policy: Policy
) -> Iterator[dict[str, Any]]:
    """Yield the fields of each target, without people of the targets before it."""
    team, before, keys = case.post.team, set[str](), _keys(case, tried, policy)
    turns = dict(case.post.turns)
    meant = zip(tried.pages, _meant(case, tried, known, policy), strict=True)
    for place, (page, target) in enumerate(meant, 1):
        due = [each for each in target.people if _is_awake(each, tried, known, policy)]
        fresh = (each for each in due if each not in before)
        people = who_is_left(case.post, fresh, tried.condition.acknowledgements > 1)
        by_turns = target_key(target.page)
        turn: Turn | None = None
        if by_turns is not None and people and not target.nobody_on_call:
            last = turns.get(by_turns) or known.last_turn(by_turns)
            asked = {*case.post.asked, *before}
            turns[by_turns] = turn = next_turn(target.people, people, asked, last)
        others = tuple(each for each in people if turn and each != turn.person)
        people = (turn.person,) if turn else people
        if not (people or _is_received(page, known)):
            continue
        before.update(people)
        is_manager = isinstance(page, PageTeam) and page.who == "manager"
        lacking = unskilled(policy, team, case.service, people)
        yield page_fields(policy, target.page) | {
            "key": next(keys),
            "target": place if len(tried.pages) > 1 else None,
            "people": people,
            "nobody_on_call": target.nobody_on_call,
            "out_of_hours": tuple(p for p in target.people if p not in due) or None,
            "unskilled": None if is_manager else lacking,
            "turn": turn and turn.number,
            "not_their_turn": others or None,
        }


def _is_received(page: Page, known: EscalationContext) -> bool:
    """Return whether a page that is not for people can be sent."""
    return isinstance(page, PageChannel) and (page.is_of_team or known.webhook)


def _keys(case: Case, tried: Try, policy: Policy) -> Iterator[str]:
    """Yield the key of an attempt, and then those of its further targets."""
    key = _page_key(case, tried, policy)
    yield key
    yield from (f"{key}.t{n}" for n in count(2))


def _is_awake(
    person: str, tried: Try, known: EscalationContext, policy: Policy
) -> bool:
    """Return whether it is within the hours of a page where the person is."""
    if tried.hours is None:
        return True
    zone = known.zone_of(person) or policy.desk.timezone
    return is_within(tried.hours, ZoneInfo(zone), tried.due_at)


def _unanswered(case: Case, when: datetime, policy: Policy) -> Due:
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
