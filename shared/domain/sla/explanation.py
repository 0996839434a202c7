"""Why a promise is due when it is: its clock, window by window."""

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
"""Of a longer account the first so many are shown, and how much the rest counts."""

Why = PauseReason | Literal["over"]


@dataclass(frozen=True)
class Explanation:
    """A clock and the windows that add up to it.

    They go up to `until`: where it is due, or stands, or ended before that. `stops` are
    the times in which it stood; a window's `pause` is the number of one of them.
    """

    clock: Clock
    zone: str
    until: datetime
    windows: tuple[Window, ...]
    stops: tuple[Stop, ...]
    seconds: int
    """Working seconds of all windows."""
    cut: bool
    """There are more windows than are shown."""
    original_due_at: datetime | None
    """When it would be due had nobody agreed to more."""


def explained(clock: Clock, hours: Hours) -> Explanation:
    """Return the account of a clock under the hours of its calendar."""
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
    """Return up to when a clock is accounted for: it is due, stands or ended then."""
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
