"""How much working time a clock has consumed and has left."""

from datetime import datetime, timedelta

from shared.sla.clock import Clock
from shared.working_time import Hours, Span, due, elapsed


def whole(at: datetime) -> datetime:
    """Return the second an instant lies in: clocks know whole seconds only."""
    return at.replace(microsecond=0)


def pauses(clock: Clock, until: datetime) -> tuple[Span, ...]:
    """Return the times in which the clock stood, up to `until`."""
    past = tuple((stop.since, stop.until) for stop in clock.stopped)
    if clock.standing_since is None or clock.standing_since >= until:
        return past
    return (*past, (clock.standing_since, until + timedelta(seconds=1)))


def stood(clock: Clock, at: datetime) -> tuple[Span, ...]:
    """Return the times in which the clock stood, as though it went on at `at`."""
    past = tuple((stop.since, stop.until) for stop in clock.stopped)
    if clock.standing_since is None:
        return past
    return (*past, (clock.standing_since, max(at, clock.standing_since)))


def spent(clock: Clock, hours: Hours, at: datetime) -> int:
    """Return the working seconds consumed at `at`, or when it ended if before."""
    until = whole(at)
    if clock.ended_at is not None:
        until = min(until, clock.ended_at)
    return elapsed(hours, clock.started_at, until, pauses(clock, until))


def left(clock: Clock, hours: Hours, at: datetime) -> int:
    """Return the working seconds left at `at`; negative: so much over."""
    return clock.seconds - spent(clock, hours, at)


def original_due(clock: Clock, hours: Hours) -> datetime | None:
    """Return when it would be due by the contract alone; None where nothing is due."""
    if clock.due_at is None or clock.seconds == clock.original_seconds:
        return clock.due_at
    past = [(stop.since, stop.until) for stop in clock.stopped]
    return due(hours, clock.started_at, clock.original_seconds, past)
