"""The intervals of a promise on one axis: open hours, pauses, and when it is due.

What a picture of the promise shows. The axis ends at the latest of its instants: when
it is due by the contract or by an agreement, when it ended, or now.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from shared.domain.sla import Clock, original_due, whole
from shared.domain.sla.explanation import WINDOWS_MAX, Why
from shared.domain.working_time import Hours, Span, account


@dataclass(frozen=True)
class StoppedInterval:
    """A period that did not count: a pause, or `over` while it was resolved."""

    begins: datetime
    ends: datetime
    why: Why


@dataclass(frozen=True)
class PromiseIntervals:
    """The axis [begins, ends) of a promise, and the intervals on it."""

    begins: datetime
    ends: datetime
    open: tuple[Span, ...]
    """When the calendar is open; pauses are not taken out."""
    stopped: tuple[StoppedInterval, ...]
    cut: bool
    """Whether open intervals at the end were left out."""


def intervals(clock: Clock, hours: Hours, at: datetime) -> PromiseIntervals:
    """Return the intervals of a clock, by the hours of its calendar, at an instant."""
    now = max(whole(at), clock.started_at)
    original = original_due(clock, hours)
    asked = clock.asked.proposed_due_at if clock.asked else None
    known = [at for at in (clock.due_at, original, asked) if at is not None]
    ends = max([_ends(clock, now), *known])
    windows = account(hours, clock.started_at, ends)
    opened = tuple((each.begins, each.ends) for each in islice(windows, WINDOWS_MAX))
    return PromiseIntervals(
        begins=clock.started_at,
        ends=ends,
        open=opened,
        stopped=tuple(_stopped(clock, now)),
        cut=next(windows, None) is not None,
    )


def _ends(clock: Clock, now: datetime) -> datetime:
    """Return the end of the account: now, or when the clock ended before that."""
    return now if clock.ended_at is None else min(now, clock.ended_at)


def _stopped(clock: Clock, now: datetime) -> Iterator[StoppedInterval]:
    for stop in clock.stopped:
        yield StoppedInterval(stop.since, stop.until, stop.why)
    since, why = clock.standing_since, clock.standing_for
    if since is not None and why is not None and clock.ended_at is None and since < now:
        yield StoppedInterval(since, now, why)
