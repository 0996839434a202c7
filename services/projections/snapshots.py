"""Read-only snapshots of the read models and the log, and waiting for a position.

Waiting does not poll: the reader that reaches a position wakes the waiters. `Progress`
belongs to one event loop and is not thread-safe.
"""

import asyncio
import heapq
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

import psycopg

from shared.database.cursors import Cursors
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog

READ_SECONDS_MAX = 2
"""A read that takes longer is cancelled: it would delay others."""

_BEGIN = """
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL statement_timeout = '{}s';
SET LOCAL plan_cache_mode = force_custom_plan
"""
# The last one, because the best index depends on the requested values.


class TooSlow(Exception):
    """The read would take longer than `READ_SECONDS_MAX`: ask for less."""


@contextmanager
def snapshot(log: EventLog) -> Iterator[Cursors]:
    """Open a snapshot on a connection of `log`. Raises `Unavailable` or `TooSlow`."""
    with log.transaction() as cursor:
        cursor.execute(_BEGIN.format(READ_SECONDS_MAX))
        try:
            yield cursor
        except psycopg.errors.QueryCanceled as error:
            raise TooSlow(f"given up after {READ_SECONDS_MAX} s") from error


@contextmanager
def brief_snapshot(log: EventLog) -> Iterator[Cursors]:
    """Open a snapshot for a read that is never long. Raises `Unavailable`."""
    try:
        with snapshot(log) as cursor:
            yield cursor
    except TooSlow as error:
        raise Unavailable(str(error)) from error


class Progress:
    """The position each read model has reached in this process."""

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}
        self._waiting: dict[str, list[tuple[int, int, asyncio.Future[None]]]] = {}
        self._numbers = count()

    def reached(self, name: str, position: int) -> None:
        """Record that `name` is at `position`, and wake the callers waiting for it."""
        self._positions[name] = position
        waiting = self._waiting.get(name, [])
        while waiting and waiting[0][0] <= position:
            _, _, future = heapq.heappop(waiting)
            if not future.done():
                future.set_result(None)

    async def wait(self, name: str, position: int, seconds: float) -> None:
        """Return once `name` is at `position`, or after `seconds` at the latest."""
        if self._positions.get(name, 0) >= position:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(name, [])
        heapq.heappush(waiting, (position, next(self._numbers), future))
        with suppress(TimeoutError):
            try:
                async with asyncio.timeout(seconds):
                    await future
            finally:
                # Callers that gave up must not accumulate while a reader is idle.
                if future.cancelled():
                    waiting[:] = [one for one in waiting if one[2] is not future]
                    heapq.heapify(waiting)
