"""When time alone changes something about a trouble."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.intake.pipeline.key_row import NO_LIFE, KeyRow
from shared.domain.policy.durations import NEVER
from shared.domain.policy.sources import Monitor

GIVEN_UP_AFTER = timedelta(hours=24)
"""How long a trouble may be silent whose source never says that it is over.

Unless its `recovers_after` says otherwise.
"""


def steady_span(monitor: Monitor | None) -> timedelta:
    """Return how long a state must hold before a flapping trouble is believed."""
    if monitor is None:
        return timedelta()
    if monitor.hold_down is not None:
        return monitor.hold_down
    return monitor.flapping.within if monitor.flapping else timedelta()


def steady_at(row: KeyRow, monitor: Monitor | None) -> datetime | None:
    """Return when a flapping trouble has held its state long enough."""
    if row.life.flapping_since is None:
        return None
    last = row.life.changes[-1] if row.life.changes else row.life.flapping_since
    return last + steady_span(monitor)


def patience(row: KeyRow, monitor: Monitor | None) -> timedelta | None:
    """Return after how long a silence the trouble counts as recovered, if ever."""
    said = monitor.recovers_after if monitor else None
    if said == NEVER:
        return None
    if said is None:
        return GIVEN_UP_AFTER if row.life.never_recovers else None
    return said


def silent_at(row: KeyRow, monitor: Monitor | None) -> datetime | None:
    """Return when a trouble that fires no more counts as recovered, if ever."""
    span, fired_at = patience(row, monitor), row.life.fired_at
    if span is None or fired_at is None or row.state != "firing":
        return None
    return fired_at + span


def timed(row: KeyRow, monitor: Monitor | None) -> KeyRow:
    """Return the row with the next instant at which it must be looked at."""
    if row.held is None and row.life is NO_LIFE and row.due_at is None:
        return row
    instants = (
        row.held.until if row.held else None,
        steady_at(row, monitor),
        silent_at(row, monitor),
    )
    due_at = min((each for each in instants if each is not None), default=None)
    return row._replace(due_at=due_at)


def fired(row: KeyRow, monitor: Monitor | None, at: datetime) -> KeyRow:
    """Return the row after it was heard to fire."""
    if patience(row, monitor) is None:
        return row
    before = row.life.fired_at
    latest = at if before is None else max(at, before)
    return row._replace(life=replace(row.life, fired_at=latest))
