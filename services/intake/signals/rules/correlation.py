"""Finds the alert that a signal is about, and decides its effect. Pure.

This is the core of intake. Each alert of a source has one row, found by its key and
locked by the caller; the row holds the state of the alert and its incident. So there is
at most one active incident for each key, repeats are counted here and not in the log,
and signals that arrive late or twice change nothing.

Instants that a source claims are compared only with each other, never with our clock;
one in the future is remembered as the time of the decision. Signals with equal
instants, or without one, are processed in the order of the locks of their row, unless
the same claim was heard before: then it is a repeat.
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
    """Return the outcome of `signal`, given its row and the adapter that read it.

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
    """Yield, one by one, the effects of time on an alert until an instant.

    Apply each outcome before asking for the next. With `anew`, also check whether
    maintenance still holds the alert.
    """
    if anew:
        row = released(ground, row, until)
    while (heard := elapsed(ground, row, until)) is not None:
        yield heard
        row = heard.row
