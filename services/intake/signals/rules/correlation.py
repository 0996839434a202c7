"""Which trouble a signal is about, and whether it is news. Pure: the heart of intake.

Each trouble of a source has one row, found by its key and locked by the caller; it
knows how the trouble stands and which incident is for it. So there is at most one
incident at work per key, repeats are counted here and not in the log, and signals
that arrive late or twice change nothing. The stages are in `pipeline`.

Instants a source claims are compared with each other only, never with our clock; one
that lies ahead is remembered as the instant at which it is judged. Equal instants, and
signals without one, are taken in the order of the locks of their row, unless that very
claim was heard before: then it is a repeat.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import assert_never

from services.intake.signals.rules.alert import triggered
from services.intake.signals.rules.context import (
    BatchContext,
    Correlated,
    SignalContext,
    timed_all,
)
from services.intake.signals.rules.key_row import KeyRow
from services.intake.signals.rules.recovery import acknowledged, noted, recovered
from services.intake.signals.rules.timeouts import elapsed, released
from services.intake.signals.schemas import Signal


def correlate(
    row: KeyRow,
    signal: Signal,
    received_at: datetime,
    adapter: str,
    ground: BatchContext,
) -> Correlated:
    """Return what becomes of `signal`, given its row, and which adapter read it.

    Takes a reference from `ground.fresh` only if it opens an incident.
    """
    arrival = SignalContext(
        ground,
        row,
        ground.incident(row.incident) if row.incident else None,
        ground.policy.monitor(signal.source),
        signal,
        received_at,
        moment=received_at,
        since=received_at,
        adapter=adapter,
    )
    return timed_all(_judged(arrival), arrival.monitor)


def _judged(arrival: SignalContext) -> Correlated:
    match arrival.signal.action:
        case "trigger":
            return triggered(arrival)
        case "resolve":
            return recovered(arrival)
        case "acknowledge":
            return acknowledged(arrival)
        case "note":
            return noted(arrival)
        case _:
            assert_never(arrival.signal.action)


def catch_up(
    row: KeyRow, until: datetime, ground: BatchContext, *, anew: bool = False
) -> Iterator[Correlated]:
    """Yield what time made of a trouble until an instant, one thing after another.

    What is yielded must be taken in before the next is asked for. `anew` looks whether
    announced work still holds it.
    """
    if anew:
        row = released(ground, row, until)
    while (heard := elapsed(ground, row, until)) is not None:
        yield heard
        row = heard.row
