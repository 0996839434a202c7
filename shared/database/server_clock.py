"""PostgreSQL's clock, extrapolated by a process between two readings.

A reading returns the server's instant; until the next one the process adds the time of
its monotonic clock. So all hosts use one clock, and a host with a wrong clock can be
distinguished from a slow one.
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
"""How much a host's clock may differ from PostgreSQL's before it stops writing."""
LOOK_SECONDS = 2.0
"""How often a process reads PostgreSQL's clock."""
LOOK_AGAIN_SECONDS = 1.0
"""How old a reading of a wrong clock must be before a caller reads again."""
DRIFT = 0.001
"""The assumed drift of a monotonic clock; far more than a working one has."""

_NOW = "SELECT clock_timestamp()"

Ask = Callable[[], datetime]
"""Returns PostgreSQL's instant, or raises `Unavailable`."""
Ticks = Callable[[], float]
"""Returns the seconds since some instant; never decreases."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """PostgreSQL's instant, read between two instants of this process.

    `counted` is the monotonic clock halfway between them, which is wrong by at most
    `error`; `earliest` and `latest` are the values of the host's clock.
    """

    instant: datetime
    counted: float
    error: timedelta
    earliest: datetime
    latest: datetime

    @property
    def skew(self) -> timedelta:
        """Return by how much at least the host's clock is ahead; negative if behind.

        Zero if it may be right: a late answer means a slow host, not a wrong clock.
        """
        if self.earliest > self.instant:
            return self.earliest - self.instant
        if self.latest < self.instant:
            return self.latest - self.instant
        return timedelta(0)

    @property
    def wrong(self) -> bool:
        """Whether the error of the host's clock exceeds the limit."""
        return abs(self.skew) > SKEW_MAX

    def at(self, counted: float) -> datetime:
        """Return PostgreSQL's instant when the monotonic clock shows `counted`."""
        return self.instant + timedelta(seconds=counted - self.counted)

    def error_at(self, counted: float) -> timedelta:
        """Return the possible error of `at`."""
        return self.error + timedelta(seconds=(counted - self.counted) * DRIFT)


class ServerClock:
    """A `Clock` with PostgreSQL's time. Thread-safe; it never waits.

    Reads the server's clock when it is created, and then while `keep` runs. While
    PostgreSQL is unavailable it extrapolates from the last reading.
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
        """The reading from which the current instant is extrapolated."""
        return self._look

    def look(self) -> None:
        """Read PostgreSQL's clock. Raises `Unavailable`; blocks.

        A slow answer is dropped if the last one still agrees with it and is more exact.
        If another thread is reading already, this call does nothing.
        """
        if not self._looking.acquire(blocking=False):
            return
        try:
            self._look = self._better(self._looked())
        finally:
            self._looking.release()

    def demand_right(self) -> None:
        """Raise `WrongClock` if the host's clock is wrong; may read again, and block.

        This is the guard of an event log: it is called before every transaction.
        """
        if self._doubtful():
            with suppress(Unavailable):  # the transaction will raise it
                self.look()
        if self._look.wrong:
            raise WrongClock(sentence(self._look.skew))

    async def keep(self, stop: asyncio.Event) -> None:
        """Read the clock every two seconds until `stop` is set. Never raises."""
        while not stop.is_set():
            with suppress(Unavailable):  # reported elsewhere
                await asyncio.to_thread(self.look)
            await pause(stop, LOOK_SECONDS)

    async def probe(self) -> Check:
        """Report whether the host's clock is right, and the error of PostgreSQL's."""
        look, counted = self._look, self._ticks()
        words = {"why": sentence(look.skew)} if look.wrong else {}
        numbers = {
            "skew_seconds": look.skew.total_seconds(),
            "error_seconds": look.error_at(counted).total_seconds(),
            "looked_seconds_ago": counted - look.counted,
        }
        return Check("clock", "host", not look.wrong, words, numbers)

    def _doubtful(self) -> bool:
        """Whether the last reading no longer suffices to judge the host's clock.

        The clock jumped since then, or the machine slept; or it was wrong, and may have
        been corrected.
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
    """Return a sentence on what is wrong with the host's clock and what to do."""
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
    """Yield a clock of the server at `dsn`, read once: for short commands."""
    with closing(TimeSource(dsn)) as source:
        clock = ServerClock(source.ask)
        clock.look()  # the first reading was slow because it had to connect
        yield clock


class TimeSource:
    """Asks the server at `dsn` for its instant, on a connection of its own."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Connection[DictRow] | None = None
        self._closed = False

    def ask(self) -> datetime:
        """Return the server's instant. Raises `Unavailable`; blocks."""
        if self._closed:
            raise Unavailable("this source of time is closed")
        try:
            connection = self._connection or connect(self._dsn)
            self._connection = connection
            if self._closed:  # by another thread, while this one connected
                connection.close()
            row = connection.execute(_NOW, binary=True).fetchone()
        except psycopg.OperationalError as error:
            self._disconnect()
            raise Unavailable(str(error).strip().partition("\n")[0]) from error
        if row is None:
            raise Unavailable("PostgreSQL did not say what time it is")
        instant: datetime = row["clock_timestamp"]
        return instant

    def close(self) -> None:
        """Close the connection for good."""
        self._closed = True
        self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
