"""Completes, pauses and resumes clocks according to the work on the incident.

Also decides when the work of a clock was done, and which ended clocks continue because
what ended them was undone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from services.sla_watcher.clocks.arm import on, pledges_of
from services.sla_watcher.clocks.case import Case, LevelStay, PolicyOf
from shared.domain import events
from shared.domain.sla import OLAS, Clock, State, is_operational, left, spent
from shared.domain.working_time import Hours, due, hours_of


def done_when(clock: Clock, case: Case) -> datetime | None:
    """Return when the promised work was done, None if it is not done."""
    target = clock.name.target
    if is_operational(target):
        post = _post(clock, case)
        if OLAS[target].what == "work":
            return (post and post.left_at) or _resolved(clock, case)
        taken = post and (post.accepted_at or post.left_at)
        return taken or case.restored_at or case.resolved_at
    match target:
        case "tto":
            return case.acknowledged_at or case.restored_at or case.resolved_at
        case "ttr":
            return _resolved(clock, case)
        case "update":
            if clock.kept_by is None:
                told = case.told_at > clock.started_at
                return case.told_at if told else case.resolved_at
            return _heard_at(clock, case) or case.unheard_at


def _heard_at(clock: Clock, case: Case) -> datetime | None:
    """Return when the users heard from the desk; None if they did not, or not yet."""
    heard_at = case.last_heard_at
    return heard_at if heard_at > clock.started_at or case.knows_end else None


def given_up(
    clock: Clock, case: Case
) -> Literal["recovered", "resolved", "escalated"] | None:
    """Return why nobody had to do it any more, None if somebody did.

    The service came back before, or the incident went to another level. Or it is over,
    and no message about that can be delivered to its users.
    """
    target = clock.name.target
    if target == "tto":
        return "recovered" if case.acknowledged_at is None else None
    if target == "update" and clock.kept_by is not None:
        is_left = clock.name.cycle != case.cycle or _heard_at(clock, case) is None
        return "resolved" if is_left else None
    if not is_operational(target) or OLAS[target].what == "work":
        return None
    post = _post(clock, case)
    if post is None or post.accepted_at is not None:
        return None
    return "recovered" if post.left_at is None else "escalated"


def _post(clock: Clock, case: Case) -> LevelStay | None:
    target = clock.name.target
    level = OLAS[target].level if is_operational(target) else None
    stays = [post for post in case.posts if post.level == level]
    return stays[clock.name.round - 1] if clock.name.round <= len(stays) else None


def _resolved(clock: Clock, case: Case) -> datetime | None:
    if clock.stops_at == "restored":
        return case.restored_at or case.resolved_at
    return case.resolved_at


def came_back(
    clock: Clock, case: Case, at: datetime, policy_of: PolicyOf
) -> Sequence[events.SlaEvent]:
    """Return that an ended clock continues; nothing if it remains ended."""
    if case.gone is not None or case.resolved_at is not None:
        return []
    common = on(case, clock.name, at)
    pauses = [(stop.since, stop.until) for stop in clock.stopped]
    hours = hours_of(policy_of(clock.policy).calendars[clock.calendar])
    if clock.cancelled_for == "merged" and case.back_at:
        due_at = due(hours, clock.started_at, clock.seconds, pauses)
        unmerged = events.SlaContinued(
            **common, cause="unmerged", continued_at=case.back_at, due_at=due_at
        )
        return [unmerged]
    since = case.promised_since
    if since is not None and _is_covered_again(clock, case, policy_of):
        stopped = _stopped_meanwhile(clock, case)
        pauses = [(stop.since, stop.until) for stop in stopped]
        covered = events.SlaContinued(
            **common,
            cause="covered",
            continued_at=since,
            due_at=due(hours, clock.started_at, clock.seconds, pauses),
            stopped=None if stopped == clock.stopped else stopped,
        )
        return [covered]
    if _is_down_again(clock, case) and case.relapsed_at and clock.ended_at:
        stood = (clock.ended_at, case.relapsed_at)
        due_at = due(hours, clock.started_at, clock.seconds, [*pauses, stood])
        relapsed = events.SlaContinued(
            **common, cause="relapsed", continued_at=case.relapsed_at, due_at=due_at
        )
        return [relapsed]
    return []


def _is_covered_again(clock: Clock, case: Case, policy_of: PolicyOf) -> bool:
    return (
        clock.cancelled_for == "no_contract"
        and done_when(clock, case) is None
        and clock.name.target in pledges_of(case, policy_of)
    )


def _stopped_meanwhile(clock: Clock, case: Case) -> tuple[events.Stop, ...]:
    """Return its pauses, including those that ended while nothing was promised."""
    known_until = clock.standing_since or clock.ended_at or clock.started_at
    return clock.stopped + tuple(
        wait
        for wait in case.waited
        if wait.why in clock.paused_by and wait.since >= known_until
    )


def _is_down_again(clock: Clock, case: Case) -> bool:
    """Tell whether the service was back when the clock ended, and is down again."""
    target = clock.name.target
    works = target == "ttr" or (is_operational(target) and OLAS[target].what == "work")
    over = clock.state in (State.MET, State.BREACHED) and works
    unowned = clock.cancelled_for == "recovered"
    return (over or unowned) and done_when(clock, case) is None


def kept(case: Case, at: datetime, policy_of: PolicyOf) -> Sequence[events.SlaEvent]:
    """Return what the present state of the incident does to its clocks."""
    return [
        event
        for clock in case.clocks
        if clock.name.cycle == case.cycle or _is_left(clock)
        for event in _of(clock, case, at, policy_of)
    ]


def _is_left(clock: Clock) -> bool:
    """Tell whether it runs on after the end of its cycle, until a reopening."""
    return clock.measures and clock.kept_by is not None


def _of(
    clock: Clock, case: Case, at: datetime, policy_of: PolicyOf
) -> Sequence[events.SlaEvent]:
    if not clock.measures:
        return came_back(clock, case, at, policy_of)
    hours = hours_of(policy_of(clock.policy).calendars[clock.calendar])
    is_left = clock.name.cycle != case.cycle
    done_at = case.reopened_at if is_left else case.gone_at or done_when(clock, case)
    if done_at is None:
        return _turned(clock, case, hours, at)
    return [_end(clock, case, hours, at, done_at)]


def _end(
    clock: Clock, case: Case, hours: Hours, at: datetime, done_at: datetime
) -> events.SlaEvent:
    """Return the end of a clock that counts until `done_at`."""
    common = on(case, clock.name, at)
    elapsed = spent(clock, hours, done_at)
    if not clock.is_open:
        over = max(0, elapsed - clock.seconds)
        since_agreed = clock.agreed_seconds if clock.longest > clock.seconds else None
        return events.SlaOverran(
            **common,
            done_at=done_at,
            elapsed_seconds=elapsed,
            overrun_seconds=over,
            agreed_seconds=since_agreed,
        )
    if case.gone is not None:
        return events.SlaCancelled(**common, cancelled_at=done_at, reason=case.gone)
    if (reason := given_up(clock, case)) is not None:
        return events.SlaCancelled(**common, cancelled_at=done_at, reason=reason)
    extended = clock.seconds != clock.original_seconds
    return events.SlaMet(
        **common,
        met_at=done_at,
        elapsed_seconds=elapsed,
        seconds=clock.seconds,
        original_seconds=clock.original_seconds if extended else None,
    )


def _turned(
    clock: Clock, case: Case, hours: Hours, at: datetime
) -> Sequence[events.SlaEvent]:
    """Return the pause, or its end, that the clock does not include yet."""
    common = on(case, clock.name, at)
    stands = clock.standing_since is not None
    should_stand = case.pause is not None and case.pause in clock.paused_by
    if should_stand and not stands and case.paused_at and case.pause:
        paused_at = max(case.paused_at, clock.started_at)
        paused = events.SlaPaused(
            **common,
            paused_at=paused_at,
            reason=case.pause,
            elapsed_seconds=spent(clock, hours, paused_at),
            left_seconds=left(clock, hours, paused_at),
        )
        return [paused]
    goes_on_at = _goes_on_at(clock, case)
    if clock.standing_since is not None and goes_on_at is not None:
        goes_on_at = max(goes_on_at, clock.standing_since)
        due_at = _due(clock, hours, (clock.standing_since, goes_on_at))
        return [events.SlaResumed(**common, resumed_at=goes_on_at, due_at=due_at)]
    return []


def _goes_on_at(clock: Clock, case: Case) -> datetime | None:
    """Return since when nothing pauses a paused clock; None if something does."""
    if case.pause is None:
        return case.resumed_at
    if case.pause != clock.standing_for:
        return case.paused_at  # it may be paused again at once, for the new reason
    if case.pause not in clock.paused_by:
        return case.classified_at  # another contract, which does not list this reason
    return None


def _due(clock: Clock, hours: Hours, *stood: tuple[datetime, datetime]) -> datetime:
    pauses = [(stop.since, stop.until) for stop in clock.stopped]
    return due(hours, clock.started_at, clock.seconds, [*pauses, *stood])
