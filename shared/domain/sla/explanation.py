"""Explains when an SLA target is due: its clock, window by window."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from shared.domain.events.sla import Stop
from shared.domain.policy.targets import PauseReason
from shared.domain.sla.clock import Clock, original_due
from shared.domain.working_time import Hours, Window, account

WINDOWS_MAX = 1_000
"""Windows shown; of a longer list, the total of the rest is included."""

Why = PauseReason | Literal["over"]


@dataclass(frozen=True)
class Explanation:
    """A clock and the windows that add up to its working time.

    They end at `until`: when it is due, or when it was paused or ended before that.
    `stops` are the stopped periods; a window's `pause` is the index of one of them.
    """

    clock: Clock
    zone: str
    until: datetime
    windows: tuple[Window, ...]
    stops: tuple[Stop, ...]
    seconds: int
    """Working seconds of all windows."""
    cut: bool
    """Whether there are more windows than shown."""
    original_due_at: datetime | None
    """When it would be due without extensions."""


def explained(clock: Clock, hours: Hours) -> Explanation:
    """Return the explanation of a clock with the hours of its calendar."""
    until = accounted_until(clock)
    stops = _stops(clock, until)
    pauses = [(stop.since, stop.until) for stop in stops]
    counted = account(hours, clock.started_at, until, pauses)
    windows = tuple(islice(counted, WINDOWS_MAX))
    rest = deque(counted, maxlen=1)
    last = (*windows, *rest)[-1:]
    return Explanation(
        clock=clock,
        zone=hours.zone.key,
        until=until,
        windows=windows,
        stops=stops,
        seconds=last[0].together if last else 0,
        cut=bool(rest),
        original_due_at=original_due(clock, hours),
    )


def accounted_until(clock: Clock) -> datetime:
    """Return where the explanation ends: when it is due, was paused or has ended."""
    if clock.ended_at is not None and clock.breached_at is None:
        return clock.ended_at
    if clock.due_at is not None:
        return clock.due_at
    return clock.standing_since or clock.set_at


def _stops(clock: Clock, until: datetime) -> tuple[Stop, ...]:
    if clock.standing_since is None or clock.standing_since >= until:
        return clock.stopped
    why: Why = clock.standing_for or "over"
    now = Stop(since=clock.standing_since, until=until + timedelta(seconds=1), why=why)
    return (*clock.stopped, now)
