"""Leader election among equal processes, by a lease in PostgreSQL.

The leader has to keep renewing its lease, and stops by itself before the lease expires.
If it was frozen and continues later, it is fenced off: its transactions demand the
lease. All instants are the server's real time, not the desk's clock.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, LiteralString

import structlog
from psycopg import AsyncConnection, AsyncCursor, Cursor, Error, OperationalError, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import ReadOnlySqlTransaction

from shared.clock import ticks
from shared.http.serve import end

LEASE_SECONDS = 5.0
"""How long a lease lasts without renewal."""
FREE_SECONDS_MAX = 10.0
"""How long work may wait while no process holds its lease."""

# A holder that takes its lease again before anybody else keeps its number. An expiry
# that is more than a lease's duration ahead means that the server's clock was set back.
_TAKE = """
UPDATE {table} SET
    fence = fence + (holder <> %(holder)s)::int, holder = %(holder)s,
    renewed_at = clock_timestamp(),
    expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE name = %(name)s AND (
    holder = %(holder)s OR expires_at <= clock_timestamp()
    OR expires_at > clock_timestamp() + make_interval(secs => %(seconds)s)
)
RETURNING fence
"""
_OURS = "WHERE name = %(name)s AND holder = %(holder)s AND fence = %(fence)s"
_RENEW = (
    """
UPDATE {table} SET
    renewed_at = clock_timestamp(),
    expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
"""
    + _OURS
)
_RELEASE = "UPDATE {table} SET expires_at = clock_timestamp() " + _OURS  # noqa: S608 # our own names
_DEMAND = "SELECT FROM {table} " + _OURS + " FOR KEY SHARE"
_LOOK = """
SELECT holder, fence, extract(epoch FROM clock_timestamp() - renewed_at)::float8,
       extract(epoch FROM clock_timestamp() - expires_at)::float8
FROM {table} WHERE name = %(name)s
"""


class LeaseLost(Exception):
    """The lease has lapsed or belongs to another process: stop working."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Names a lease: the row `name` of `<schema>.leases`."""

    schema: str
    name: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A lease held by a process. `fence` is its fencing token."""

    lease: Lease
    holder: str
    fence: int


@dataclass(frozen=True, slots=True)
class LeaseState:
    """The current or last holder of a lease."""

    holder: str
    """Empty if nobody ever held it."""
    fence: int
    renewed_seconds: float
    """Seconds since the last renewal."""
    free_seconds: float
    """Seconds since it expired; 0 while somebody holds it."""

    def numbers(self) -> Mapping[str, float]:
        """Return the numbers for a health check, which become metrics."""
        return {
            "fence": float(self.fence),
            "renewed_seconds": self.renewed_seconds,
            "free_seconds": self.free_seconds,
        }

    def words(self) -> Mapping[str, str]:
        """Return the texts for a health check: the holder."""
        if not self.holder:
            return {"holder": "nobody yet"}
        if self.free_seconds:
            return {"holder": f"nobody; until now {self.holder}"}
        return {"holder": self.holder}


async def take(
    connection: AsyncConnection[Any], lease: Lease, holder: str
) -> Grant | None:
    """Take a lease that is free or already held by `holder`; None if another holds it.

    Like the other calls, raises `OperationalError` if PostgreSQL is unavailable or
    read-only.
    """
    given = {"name": lease.name, "holder": holder, "seconds": LEASE_SECONDS}
    cursor = await _execute(connection, _query(_TAKE, lease), given)
    row = await cursor.fetchone()
    return Grant(lease, holder, row[0]) if row else None


async def renew(connection: AsyncConnection[Any], grant: Grant) -> bool:
    """Extend a lease, even an expired one; False if another process has taken it."""
    given = _given(grant) | {"seconds": LEASE_SECONDS}
    cursor = await _execute(connection, _query(_RENEW, grant.lease), given)
    return cursor.rowcount == 1


async def release(connection: AsyncConnection[Any], grant: Grant) -> None:
    """Let a lease expire now, so that another process does not have to wait."""
    await _execute(connection, _query(_RELEASE, grant.lease), _given(grant))


def demand(cursor: Cursor[Any], grant: Grant) -> None:
    """Raise `LeaseLost` if the lease was taken; lock it until the transaction ends.

    Call it first in a transaction: its row is locked before the caller's own rows.
    """
    if not cursor.execute(_query(_DEMAND, grant.lease), _given(grant)).rowcount:
        raise LeaseLost(f"another process has taken the lease {grant.lease.name}")


def look(cursor: Cursor[Any], lease: Lease) -> LeaseState:
    """Return the state of a lease: its holder and its last renewal."""
    row = cursor.execute(_query(_LOOK, lease), {"name": lease.name}).fetchone()
    if row is None:
        raise LookupError(f"there is no lease {lease.schema}.{lease.name}")
    holder, fence, renewed, free = row
    return LeaseState(holder, fence, max(0.0, renewed), max(0.0, free))


async def _execute(
    connection: AsyncConnection[Any], query: sql.Composed, given: Mapping[str, Any]
) -> AsyncCursor[Any]:
    try:
        return await connection.execute(query, given)
    except ReadOnlySqlTransaction as error:  # a standby, or a server being replaced
        raise OperationalError(str(error)) from error


def _query(query: LiteralString, lease: Lease) -> sql.Composed:
    return sql.SQL(query).format(table=sql.Identifier(lease.schema, "leases"))


def _given(grant: Grant) -> dict[str, Any]:
    return {"name": grant.lease.name, "holder": grant.holder, "fence": grant.fence}


CONNECT_SECONDS = 2
STATEMENT_SECONDS = 2
"""The timeout of the statements that take or renew a lease."""
RENEW_SECONDS = 1.0
"""How often a leader renews its lease."""
MARGIN_SECONDS = 1.0
"""How long before the expiry of its lease a leader stops if it cannot renew it."""
IDLE_SECONDS = 1.0
"""How long a leader without work rests before it looks for work in any case."""
STALL_SECONDS = 10.0
"""How long the work may make no progress before the lease is no longer renewed."""

_SETTINGS: dict[str, str | int] = {
    # Keep-alives detect a server that disappeared without closing the connection.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

_log = structlog.get_logger(__name__)


class Leadership:
    """A process's claim to a lease, on a connection of its own."""

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
        """Try to take the lease, then keep renewing it. Raises `OperationalError`.

        A host that may not write leaves the lease to others.
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
        """Renew the claim to the lease; raise `LeaseLost` if it may have expired."""
        self._progress_at = ticks()
        self.check()

    def check(self) -> None:
        """Raise `LeaseLost` if the lease may have expired."""
        if ticks() >= self._stop_at:
            raise LeaseLost(f"the lease {self._lease.name} was not renewed in time")

    def demand(self, cursor: Cursor[Any]) -> None:
        """Raise `LeaseLost` if it was taken. Call this first in a transaction."""
        if self._grant is None:
            raise LeaseLost(f"the lease {self._lease.name} was never ours")
        demand(cursor, self._grant)

    async def finds(self, query: LiteralString, given: Sequence[Any]) -> bool:
        """Return whether `query`, which answers with a boolean, finds work to do.

        It runs in no transaction and no thread, on the connection of the lease: it
        costs a fraction of what looking for the work itself costs. If PostgreSQL does
        not answer, it returns True: looking tells the reason.
        """
        try:
            cursor = await self._connection.execute(query, given)
            row = await cursor.fetchone()
        except Error:
            return True
        return row is not None and bool(row[0])

    async def rest(
        self,
        woken: asyncio.Event,
        stop: asyncio.Event,
        finds: Callable[[], Awaitable[bool]],
        every: float,
    ) -> None:
        """Wait until `woken` or `stop` is set, or until `finds` finds work.

        `finds` is called every so many seconds, for work that nobody here announces.
        Returns after `IDLE_SECONDS` in any case; raises `LeaseLost`.
        """
        for _ in range(max(1, round(IDLE_SECONDS / every))):
            with suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), every)
            self.prove()
            if woken.is_set() or stop.is_set() or await finds():
                return

    async def leave(self, *, orderly: bool) -> None:
        """Stop renewing and disconnect; if `orderly`, release the lease at once.

        It disconnects even if it is cancelled meanwhile.
        """
        try:
            if self._renewing is not None:
                await end(self._renewing)
            self._stop_at = float("-inf")
            if orderly and self._grant is not None:
                with suppress(Error):
                    await release(self._connection, self._grant)
        finally:
            await self._connection.close()

    def _extend(self, asked_at: float) -> None:
        # Measured before the request: the server's answer may have taken long.
        self._stop_at = asked_at + LEASE_SECONDS - MARGIN_SECONDS

    async def _keep(self, grant: Grant) -> None:
        """Renew the lease while the work makes progress and no other took it."""
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
    """A process that may hold `lease`, under a unique name.

    Its lease is not renewed after `stall_seconds` without progress, or when `may_write`
    returns that this host may not write.
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
        """Connect as a candidate. Raises `OperationalError`.

        On exit without an error the lease is released at once, otherwise it expires:
        work in progress may still be recorded if nobody else has taken over.
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
        # Autocommit: without a snapshot the session does not delay vacuum.
        limit = f"-c statement_timeout={STATEMENT_SECONDS}s"
        given = conninfo_to_dict(self._dsn).get("options") or ""
        address = make_conninfo(
            self._dsn,
            application_name=f"permanence {self.lease.name}",
            options=f"{given} {limit}".strip(),
            connect_timeout=CONNECT_SECONDS,
            **_SETTINGS,
        )
        return await AsyncConnection.connect(address, autocommit=True)
