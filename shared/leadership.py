"""Elects one among processes alike, by a lease that the leader has to keep renewing.

A leader stops by itself before its lease expires. What it may still do later, because
it was frozen in the middle of something, is fenced off: its transactions demand the
lease.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from psycopg import AsyncConnection, Cursor, Error, OperationalError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shared.clock import ticks
from shared.http.serving import end
from shared.lease import LEASE_SECONDS, Grant, Lease, Lost, demand, release, renew, take

CONNECT_SECONDS = 2
STATEMENT_SECONDS = 2
"""How long the server may take to take or renew a lease."""
RENEW_SECONDS = 1.0
"""How often a leader renews its lease."""
MARGIN_SECONDS = 1.0
"""How long before its lease expires a leader stops that could not renew it."""
STALL_SECONDS = 10.0
"""How long the work may make no progress before the lease is no longer renewed."""

_SETTINGS: dict[str, str | int] = {
    "connect_timeout": CONNECT_SECONDS,
    # A server that vanished without a word is noticed by its silence.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

_log = structlog.get_logger(__name__)


class Leadership:
    """A seat for one leader, on a connection of its own."""

    def __init__(
        self,
        connection: AsyncConnection[Any],
        lease: Lease,
        holder: str,
        connect: Callable[[], Any],
        stall_seconds: float = STALL_SECONDS,
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        self._connection = connection
        self._lease = lease
        self._holder = holder
        self._connect = connect
        self._stall_seconds = stall_seconds
        self._may_write = may_write
        self._grant: Grant | None = None
        self._stop_at = float("-inf")
        self._progress_at = float("-inf")
        self._renewing: asyncio.Task[None] | None = None

    async def won(self) -> bool:
        """Try to take the lease, and renew it from then on. `OperationalError`.

        A host that may not write leaves it to others.
        """
        if not self._may_write():
            return False
        asked_at = ticks()
        self._grant = await take(self._connection, self._lease, self._holder)
        if self._grant is None:
            return False
        self._extend(asked_at)
        self._progress_at = ticks()
        self._renewing = asyncio.create_task(self._keep(self._grant))
        return True

    def prove(self) -> None:
        """Say that the work goes on; raise `Lost` where the lease may have expired."""
        self._progress_at = ticks()
        self.check()

    def check(self) -> None:
        """Raise `Lost` where the lease may have expired."""
        if ticks() >= self._stop_at:
            raise Lost(f"the lease {self._lease.name} was not renewed in time")

    def demand(self, cursor: Cursor[Any]) -> None:
        """Raise `Lost` where another has taken the lease. First in a transaction."""
        if self._grant is None:
            raise Lost(f"the lease {self._lease.name} was never ours")
        demand(cursor, self._grant)

    async def leave(self, *, orderly: bool) -> None:
        """Renew no more and disconnect; if `orderly`, let another lead at once."""
        if self._renewing is not None:
            await end(self._renewing)
        self._stop_at = float("-inf")
        if orderly and self._grant is not None:
            with suppress(Error):
                await release(self._connection, self._grant)
        await self._connection.close()

    def _extend(self, asked_at: float) -> None:
        # From before the question: the server's answer may have taken long.
        self._stop_at = asked_at + LEASE_SECONDS - MARGIN_SECONDS

    async def _keep(self, grant: Grant) -> None:
        """Renew the lease while the work goes on and nobody else has taken it."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            asked_at = ticks()
            still = asked_at - self._progress_at
            if still > self._stall_seconds:
                name = self._lease.name
                _log.error("lease.stalled", lease=name, still_seconds=round(still))
                return
            if not self._may_write():
                _log.error("lease.given_up", lease=self._lease.name)
                self._stop_at = float("-inf")
                return
            try:
                if not await renew(self._connection, grant):
                    self._stop_at = float("-inf")
                    return
                self._extend(asked_at)
            except OperationalError:
                await self._connect_again()
            except Exception:  # noqa: BLE001 # the leader stops in time, and stands again
                _log.exception("lease.failed", lease=self._lease.name)
                return

    async def _connect_again(self) -> None:
        with suppress(OperationalError):
            await self._connection.close()
            self._connection = await self._connect()


class Candidate:
    """One that may hold `lease`, under a name that nobody else has.

    Without progress for `stall_seconds` its lease is no longer renewed, nor once
    `may_write` says that this host may not write.
    """

    def __init__(
        self,
        dsn: str,
        lease: Lease,
        stall_seconds: float = STALL_SECONDS,
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        self.lease = lease
        self.holder = f"{socket.gethostname()}:{os.getpid()}/{secrets.token_hex(4)}"
        self._dsn = dsn
        self._stall_seconds = stall_seconds
        self._may_write = may_write

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[Leadership]:
        """Connect as one that may lead. Raises `OperationalError`.

        Left without an error the lease is free at once, otherwise when it expires: what
        is under way may still be recorded if nobody else has taken over.
        """
        seat = Leadership(
            await self._connect(),
            self.lease,
            self.holder,
            self._connect,
            self._stall_seconds,
            self._may_write,
        )
        orderly = False
        try:
            yield seat
            orderly = True
        finally:
            await seat.leave(orderly=orderly)

    async def _connect(self) -> AsyncConnection[Any]:
        # Autocommit: no snapshot is held, so the session holds back no clean-up.
        limit = f"-c statement_timeout={STATEMENT_SECONDS}s"
        given = conninfo_to_dict(self._dsn).get("options") or ""
        address = make_conninfo(
            self._dsn,
            application_name=f"permanence {self.lease.name}",
            options=f"{given} {limit}".strip(),
            **_SETTINGS,
        )
        return await AsyncConnection.connect(address, autocommit=True)
