"""Elects one among all intake workers, by a lock that PostgreSQL gives back by itself.

The lock only saves work: a leader that was replaced without noticing is fenced off by
the sequence it expects in the stream.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo

RELAY_LOCK = 7_366_000_003
CONNECT_SECONDS = 2
PROOF_SECONDS = 1.0
"""How often a leader proves that its session, and with it the lock, still lives."""

_SETTINGS: dict[str, str | int] = {
    "application_name": "permanence relay",
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
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._monotonic = monotonic
        self._proved_at = float("-inf")

    async def won(self) -> bool:
        """Try to become the leader. Raises `OperationalError`."""
        cursor = await self._connection.execute(
            "SELECT pg_try_advisory_lock(%s)", (RELAY_LOCK,)
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
async def candidate(dsn: str) -> AsyncIterator[Leadership]:
    """Connect as one who may lead. Raises `OperationalError`."""
    # Autocommit: no snapshot is held, so the session holds back no clean-up.
    address = make_conninfo(dsn, **_SETTINGS)
    connection = await AsyncConnection.connect(address, autocommit=True)
    try:
        yield Leadership(connection)
    finally:
        await connection.close()
