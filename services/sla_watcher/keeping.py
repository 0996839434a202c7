"""What the desk's work does to its clocks: met, too late, standing, going on."""

from collections.abc import Sequence
from datetime import datetime

from services.sla_watcher.case import Case, PolicyOf
from services.sla_watcher.coming_back import came_back
from services.sla_watcher.done import done_when, given_up
from services.sla_watcher.promising import on
from shared.domain.events import SlaEvent
from shared.domain.events.sla import (
    SlaCancelled,
    SlaMet,
    SlaOverran,
    SlaPaused,
    SlaResumed,
)
from shared.domain.sla import Clock, left, spent
from shared.domain.working_time import Hours, due, hours_of


def kept(case: Case, at: datetime, policy_of: PolicyOf) -> Sequence[SlaEvent]:
    """Return what the present state of the incident makes of its clocks."""
    return [
        event
        for clock in case.clocks
        if clock.name.cycle == case.cycle
        for event in _of(clock, case, at, policy_of)
    ]


def _of(
    clock: Clock, case: Case, at: datetime, policy_of: PolicyOf
) -> Sequence[SlaEvent]:
    if not clock.measures:
        return came_back(clock, case, at, policy_of)
    hours = hours_of(policy_of(clock.policy).calendars[clock.calendar])
    done_at = case.gone_at or done_when(clock, case)
    if done_at is None:
        return _turned(clock, case, hours, at)
    return [_end(clock, case, hours, at, done_at)]


def _end(
    clock: Clock, case: Case, hours: Hours, at: datetime, done_at: datetime
) -> SlaEvent:
    """Return the end of a clock that counts until `done_at`."""
    common = on(case, clock.name, at)
    elapsed = spent(clock, hours, done_at)
    if not clock.is_open:
        over = max(0, elapsed - clock.seconds)
        since_agreed = clock.agreed_seconds if clock.longest > clock.seconds else None
        return SlaOverran(
            **common,
            done_at=done_at,
            elapsed_seconds=elapsed,
            overrun_seconds=over,
            agreed_seconds=since_agreed,
        )
    if case.gone is not None:
        return SlaCancelled(**common, cancelled_at=done_at, reason=case.gone)
    if (reason := given_up(clock, case)) is not None:
        return SlaCancelled(**common, cancelled_at=done_at, reason=reason)
    extended = clock.seconds != clock.original_seconds
    return SlaMet(
        **common,
        met_at=done_at,
        elapsed_seconds=elapsed,
        seconds=clock.seconds,
        original_seconds=clock.original_seconds if extended else None,
    )


def _turned(clock: Clock, case: Case, hours: Hours, at: datetime) -> Sequence[SlaEvent]:
    """Return the pause or its end where the clock does not know of it yet."""
    common = on(case, clock.name, at)
    stands = clock.standing_since is not None
    should_stand = case.pause is not None and case.pause in clock.paused_by
    if should_stand and not stands and case.paused_at and case.pause:
        paused_at = max(case.paused_at, clock.started_at)
        paused = SlaPaused(
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
        return [SlaResumed(**common, resumed_at=goes_on_at, due_at=due_at)]
    return []


def _goes_on_at(clock: Clock, case: Case) -> datetime | None:
    """Return since when nothing stops a clock that stands; None: something does."""
    if case.pause is None:
        return case.resumed_at
    if case.pause != clock.standing_for:
        return case.paused_at  # it may stand again at once, and then for that
    if case.pause not in clock.paused_by:
        return case.classified_at  # another contract, which does not name it
    return None


def _due(clock: Clock, hours: Hours, *stood: tuple[datetime, datetime]) -> datetime:
    pauses = [(stop.since, stop.until) for stop in clock.stopped]
    return due(hours, clock.started_at, clock.seconds, [*pauses, *stood])
