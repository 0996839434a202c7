"""PostgreSQL's clock, as a process knows it between two looks at it.

A look gives the server's instant; until the next one the process counts on from it by
its monotonic clock. So all hosts decide by one clock, and a host whose own clock is
wrong can be told from one that is only slow.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow

from shared.clock import real_clock, ticks
from shared.database.connections import connect
from shared.eventlog.errors import Unavailable, WrongClock
from shared.http.serve import pause
from shared.observability.health import Check

SKEW_MAX = timedelta(seconds=2)
"""By how much a host's clock may differ from PostgreSQL's before it writes nothing."""
LOOK_SECONDS = 2.0
"""How often a process looks at PostgreSQL's clock."""
LOOK_AGAIN_SECONDS = 1.0
"""After how long a caller who finds the host's clock wrong looks once more."""
DRIFT = 0.001
"""How much a monotonic clock may gain or lose; far more than any that works."""

_NOW = "SELECT clock_timestamp()"

Ask = Callable[[], datetime]
"""Returns PostgreSQL's instant, or raises `Unavailable`."""
Ticks = Callable[[], float]
"""Seconds that passed since some moment; never decreases."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """PostgreSQL's instant, read at some moment between two of our own.

    `counted` is the monotonic clock halfway between them, which is wrong by at most
    `error`; `earliest` and `latest` are what the host's clock showed.
    """

    instant: datetime
    counted: float
    error: timedelta
    earliest: datetime
    latest: datetime

    @property
    def skew(self) -> timedelta:
        """By how much the host's clock is ahead, at least; negative if behind.

        Nothing if it may be right: who waited for the answer is slow, not wrong.
        """
        if self.earliest > self.instant:
            return self.earliest - self.instant
        if self.latest < self.instant:
            return self.latest - self.instant
        return timedelta(0)

    @property
    def wrong(self) -> bool:
        """Whether the host's clock is wrong by more than it may be."""
        return abs(self.skew) > SKEW_MAX

    def at(self, counted: float) -> datetime:
        """Return PostgreSQL's instant when the monotonic clock shows `counted`."""
        return self.instant + timedelta(seconds=counted - self.counted)

    def error_at(self, counted: float) -> timedelta:
        """Return by how much that may be wrong."""
        return self.error + timedelta(seconds=(counted - self.counted) * DRIFT)


class ServerClock:
    """A `Clock` that shows PostgreSQL's time. Any thread may call it; it never waits.

    Looks at the server's clock once, when it is made, and then while `keep` runs.
    While PostgreSQL is away it counts on from the last look.
    """

    def __init__(
        self,
        ask: Ask,
        *,
        wall: Callable[[], datetime] = real_clock,
        ticks: Ticks = ticks,
    ) -> None:
        self._ask = ask
        self._wall = wall
        self._ticks = ticks
        self._looking = Lock()
        self._look = self._looked()

    def __call__(self) -> datetime:
        """Return PostgreSQL's instant."""
        return self._look.at(self._ticks())

    @property
    def last_look(self) -> ClockReading:
        """What the present instant is counted from."""
        return self._look

    def look(self) -> None:
        """Look at PostgreSQL's clock. Raises `Unavailable`; blocks.

        An answer that took long is dropped if the last one still agrees with it and is
        more exact. Who comes while another looks lets that other do it.
        """
        if not self._looking.acquire(blocking=False):
            return
        try:
            self._look = self._better(self._looked())
        finally:
            self._looking.release()

    def demand_right(self) -> None:
        """Raise `WrongClock` if the host's clock is wrong; may look again, and block.

        The guard of an event log: it stands before every transaction.
        """
        if self._doubtful():
            with suppress(Unavailable):  # as the transaction will find out
                self.look()
        if self._look.wrong:
            raise WrongClock(sentence(self._look.skew))

    async def keep(self, stop: asyncio.Event) -> None:
        """Look every two seconds until `stop` is set. Never raises."""
        while not stop.is_set():
            with suppress(Unavailable):  # of which others tell
                await asyncio.to_thread(self.look)
            await pause(stop, LOOK_SECONDS)

    async def probe(self) -> Check:
        """Say whether the host's clock is right, and how well we know PostgreSQL's."""
        look, counted = self._look, self._ticks()
        words = {"why": sentence(look.skew)} if look.wrong else {}
        numbers = {
            "skew_seconds": look.skew.total_seconds(),
            "error_seconds": look.error_at(counted).total_seconds(),
            "looked_seconds_ago": counted - look.counted,
        }
        return Check("clock", "host", not look.wrong, words, numbers)

    def _doubtful(self) -> bool:
        """Whether the last look no longer says enough about the host's clock.

        It jumped since then, or the machine slept; or it was wrong, and may be set.
        """
        look, counted = self._look, self._ticks()
        if look.wrong:
            return counted - look.counted > LOOK_AGAIN_SECONDS
        away = abs(self._wall() - look.at(counted))
        return away > SKEW_MAX + look.error_at(counted)

    def _looked(self) -> ClockReading:
        wall, counted = self._wall(), self._ticks()
        instant = self._ask()
        wall_after, counted_after = self._wall(), self._ticks()
        half = (counted_after - counted) / 2
        return ClockReading(
            instant,
            counted + half,
            timedelta(seconds=half),
            min(wall, wall_after),
            max(wall, wall_after),
        )

    def _better(self, fresh: ClockReading) -> ClockReading:
        known, counted = self._look, fresh.counted
        error = known.error_at(counted)
        agree = abs(known.at(counted) - fresh.instant) <= error + fresh.error
        sure = fresh.skew == known.skew == timedelta(0)
        return known if agree and sure and error < fresh.error else fresh


def sentence(skew: timedelta) -> str:
    """Return what is wrong with the host's clock, and what to do."""
    seconds = abs(skew.total_seconds())
    side = "ahead of" if skew > timedelta(0) else "behind"
    return (
        f"the clock of this host is {seconds:.1f} s {side} PostgreSQL's: nothing is "
        "written until it is right; let both follow a time server"
    )


def server_now(dsn: str) -> datetime:
    """Return PostgreSQL's instant. Raises `Unavailable`; blocks."""
    with closing(TimeSource(dsn)) as source:
        return source.ask()


@contextmanager
def server_clock_at(dsn: str) -> Iterator[ServerClock]:
    """Give the clock of the server at `dsn`, known as it is now: for short commands."""
    with closing(TimeSource(dsn)) as source:
        clock = ServerClock(source.ask)
        clock.look()  # the first one had to connect, which took its time
        yield clock


class TimeSource:
    """Asks the server at `dsn` for its instant, on a connection of its own."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Connection[DictRow] | None = None

    def ask(self) -> datetime:
        """Return the server's instant. Raises `Unavailable`; blocks."""
        try:
            connection = self._connection or connect(self._dsn)
            self._connection = connection
            row = connection.execute(_NOW, binary=True).fetchone()
        except psycopg.OperationalError as error:
            self.close()
            raise Unavailable(str(error).strip().partition("\n")[0]) from error
        if row is None:
            raise Unavailable("PostgreSQL did not say what time it is")
        instant: datetime = row["clock_timestamp"]
        return instant

    def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
