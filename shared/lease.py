"""Leases as PostgreSQL keeps them: taken, renewed, released, demanded and looked at.

All instants are the server's real time, whatever the desk's own clock shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import AsyncConnection, AsyncCursor, Cursor, OperationalError, sql
from psycopg.errors import ReadOnlySqlTransaction

LEASE_SECONDS = 5.0
"""How long a lease lasts that is not renewed."""
FREE_SECONDS_MAX = 10.0
"""How long work may wait while no process holds its lease."""

# A holder that takes its lease again before anybody else did keeps its number. An
# expiry further ahead than a lease lasts means that the server's clock was set back.
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


class Lost(Exception):
    """The lease has lapsed or belongs to another process: stop working."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Names a lease: the row `name` of `<schema>.leases`."""

    schema: str
    name: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A lease as one process holds it. `fence` is its fencing number."""

    lease: Lease
    holder: str
    fence: int


@dataclass(frozen=True, slots=True)
class LeaseState:
    """Who holds a lease, or held it last."""

    holder: str
    """Empty if nobody has ever held it."""
    fence: int
    renewed_seconds: float
    """Since the last renewal."""
    free_seconds: float
    """Since it expired; 0 while somebody holds it."""

    def numbers(self) -> Mapping[str, float]:
        """Return what a health check says of it in numbers, which become metrics."""
        return {
            "fence": float(self.fence),
            "renewed_seconds": self.renewed_seconds,
            "free_seconds": self.free_seconds,
        }

    def words(self) -> Mapping[str, str]:
        """Return what a health check says of it in words: who holds it."""
        if not self.holder:
            return {"holder": "nobody yet"}
        if self.free_seconds:
            return {"holder": f"nobody; until now {self.holder}"}
        return {"holder": self.holder}


async def take(
    connection: AsyncConnection[Any], lease: Lease, holder: str
) -> Grant | None:
    """Take a lease that is free, or already `holder`'s; None if another holds it.

    Raises `OperationalError` where PostgreSQL is away or takes no writes, as do the
    other calls.
    """
    given = {"name": lease.name, "holder": holder, "seconds": LEASE_SECONDS}
    cursor = await _execute(connection, _query(_TAKE, lease), given)
    row = await cursor.fetchone()
    return Grant(lease, holder, row[0]) if row else None


async def renew(connection: AsyncConnection[Any], grant: Grant) -> bool:
    """Extend a lease, also one that has expired; False if another has taken it."""
    given = _given(grant) | {"seconds": LEASE_SECONDS}
    cursor = await _execute(connection, _query(_RENEW, grant.lease), given)
    return cursor.rowcount == 1


async def release(connection: AsyncConnection[Any], grant: Grant) -> None:
    """Let a lease expire now, so that another process need not wait."""
    await _execute(connection, _query(_RELEASE, grant.lease), _given(grant))


def demand(cursor: Cursor[Any], grant: Grant) -> None:
    """Raise `Lost` unless nobody has taken the lease, or can before we commit.

    Call it first in a transaction: the row is locked before the caller's own.
    """
    if not cursor.execute(_query(_DEMAND, grant.lease), _given(grant)).rowcount:
        raise Lost(f"another process has taken the lease {grant.lease.name}")


def look(cursor: Cursor[Any], lease: Lease) -> LeaseState:
    """Return who holds a lease and since when it was not renewed."""
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
