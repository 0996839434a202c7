"""Clocks that had ended and go on, since what ended them was undone."""

from collections.abc import Sequence
from datetime import datetime

from services.sla_watcher.case import Case, PolicyOf
from services.sla_watcher.done import done_when
from services.sla_watcher.promising import on, pledges_of
from shared.domain.events import SlaEvent
from shared.domain.events.sla import SlaContinued, Stop
from shared.domain.sla import OLAS, Clock, State, is_operational
from shared.domain.working_time import due, hours_of


def came_back(
    clock: Clock, case: Case, at: datetime, policy_of: PolicyOf
) -> Sequence[SlaEvent]:
    """Return that an ended clock goes on; nothing where its end stands."""
    if case.gone is not None or case.resolved_at is not None:
        return []
    common = on(case, clock.name, at)
    pauses = [(stop.since, stop.until) for stop in clock.stopped]
    hours = hours_of(policy_of(clock.policy).calendars[clock.calendar])
    if clock.cancelled_for == "merged" and case.back_at:
        due_at = due(hours, clock.started_at, clock.seconds, pauses)
        unmerged = SlaContinued(
            **common, cause="unmerged", continued_at=case.back_at, due_at=due_at
        )
        return [unmerged]
    since = case.promised_since
    if since is not None and _is_covered_again(clock, case, policy_of):
        stopped = _stopped_meanwhile(clock, case)
        pauses = [(stop.since, stop.until) for stop in stopped]
        covered = SlaContinued(
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
        relapsed = SlaContinued(
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


def _stopped_meanwhile(clock: Clock, case: Case) -> tuple[Stop, ...]:
    """Return when it stood, with the pauses that ended while nothing was promised."""
    known_until = clock.standing_since or clock.ended_at or clock.started_at
    return clock.stopped + tuple(
        wait
        for wait in case.waited
        if wait.why in clock.paused_by and wait.since >= known_until
    )


def _is_down_again(clock: Clock, case: Case) -> bool:
    """Tell whether service was back when the clock ended, and is down again."""
    target = clock.name.target
    works = target == "ttr" or (is_operational(target) and OLAS[target].what == "work")
    over = clock.state in (State.MET, State.BREACHED) and works
    unowned = clock.cancelled_for == "recovered"
    return (over or unowned) and done_when(clock, case) is None
