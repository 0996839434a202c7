"""Elects one among processes alike, by a lock that PostgreSQL gives back by itself.

The lock only saves work: a leader that was replaced without noticing must be fenced off
by something else.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo

CONNECT_SECONDS = 2
PROOF_SECONDS = 1.0
"""How often a leader proves that its session, and with it the lock, still lives."""

_SETTINGS: dict[str, str | int] = {
    "connect_timeout": CONNECT_SECONDS,
    # A server that vanished without a word is noticed by its silence.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


class Leadership:
    """A seat for one leader, on a connection of its own."""

    def __init__(
        self,
        connection: AsyncConnection,
        lock: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._lock = lock
        self._monotonic = monotonic
        self._proved_at = float("-inf")

    async def won(self) -> bool:
        """Try to become the leader. Raises `OperationalError`."""
        cursor = await self._connection.execute(
            "SELECT pg_try_advisory_lock(%s)", (self._lock,)
        )
        row = await cursor.fetchone()
        return row == (True,)

    async def prove(self) -> None:
        """Raise `OperationalError` where the session is gone; asks once a second."""
        now = self._monotonic()
        if now - self._proved_at >= PROOF_SECONDS:
            await self._connection.execute("SELECT 1")
            self._proved_at = now


@asynccontextmanager
async def candidate(dsn: str, lock: int, name: str) -> AsyncIterator[Leadership]:
    """Connect as one who may lead whoever wants `lock`. Raises `OperationalError`."""
    # Autocommit: no snapshot is held, so the session holds back no clean-up.
    address = make_conninfo(dsn, application_name=f"permanence {name}", **_SETTINGS)
    connection = await AsyncConnection.connect(address, autocommit=True)
    try:
        yield Leadership(connection, lock)
    finally:
        await connection.close()
