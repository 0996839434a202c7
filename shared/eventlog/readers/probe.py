"""Measures how far a reader is behind the log, by the log itself, not by the reader.

A reader that hangs reports nothing; its lag still grows. Also counts the events that a
process could not read.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.eventlog.readers.status import ReaderStatus
from shared.eventlog.unreadable import UnreadableEvents
from shared.observability.health import Check, Probe

LAG_SECONDS_MAX = 30.0
"""The maximum age of the oldest unread event for a reader to be ready."""


class Lag(NamedTuple):
    """The number of unread events, and the age of the oldest in seconds."""

    events: int
    seconds: float


def reader_probe(
    status: ReaderStatus,
    log: EventLog,
    clock: Clock,
    lag_seconds_max: float = LAG_SECONDS_MAX,
    moves: Callable[[Cursors], int] = lambda _: 0,
) -> Probe:
    """Return the probe of a reader; it is ready if its lag is small and it runs.

    `moves` returns a number that grows while one step of a build of its tables goes on.
    """

    async def probe() -> Check:
        numbers = {
            "position": float(status.tracked.position),
            "parked_streams": float(status.tracked.parked_streams),
            "applied_total": float(status.applied_total),
            "resting_seconds": status.resting_seconds(),
        }
        words, build = {"state": status.state, "why": status.why}, status.build
        try:
            if status.state == "building" and build is not None:
                moved = await asyncio.to_thread(_moved, log, moves)
                words["why"] = f"{build.stage}: {build.done:,} of {build.of:,}"
                numbers |= {
                    "build_step": build.step,
                    "build_done": build.done,
                    "build_of": build.of,
                    "build_moves": moved,
                }
            lag = await asyncio.to_thread(_lag, log, clock, status.tracked.position)
        except Unavailable:
            words["why"] = "PostgreSQL is away"
            return Check("reader", status.name, ready=False, words=words)
        numbers |= {"lag_events": lag.events, "lag_seconds": lag.seconds}
        ready = (
            status.state not in {"starting", "building", "stopped"}
            and lag.seconds <= lag_seconds_max
        )
        parked = status.tracked.parked_streams
        alarm = (
            f"streams parked by {status.name}: {parked}, see `permanence parked list`"
            if parked
            else ""
        )
        return Check("reader", status.name, ready, words, numbers, alarm)

    return probe


def _moved(log: EventLog, moves: Callable[[Cursors], int]) -> int:
    try:
        with log.transaction() as cursor:
            return moves(cursor)
    except Unavailable:  # of this host alone, perhaps; the log is asked below
        return 0


def _lag(log: EventLog, clock: Clock, position: int) -> Lag:
    oldest = log.rows_since(position, 1)
    if not oldest:
        return Lag(0, 0.0)
    age = (clock() - oldest[0].recorded_at).total_seconds()
    return Lag(log.head().position - position, max(0.0, age))


def unreadable_probe(events: UnreadableEvents) -> Probe:
    """Return the probe of unreadable events, which names the first of them.

    The process stays ready: everything else is served.
    """

    async def probe() -> Check:
        found = dict(events.reasons)
        first = min(found, default=0)
        words = {"why": f"position {first}: {found[first]}"} if found else {}
        numbers = {"unreadable": float(len(found))}
        alarm = f"{words['why']}: see `permanence audit readable`" if found else ""
        return Check("events", "log", True, words, numbers, alarm)

    return probe
