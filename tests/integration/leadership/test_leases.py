"""The lease as PostgreSQL keeps it: one holder, a number that grows, a few seconds."""

import asyncio
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection, OperationalError
from psycopg.errors import LockNotAvailable

from shared.database import leadership
from shared.database.leadership import Grant, Lease, LeaseLost
from shared.eventlog.log import EventLog
from tests.support.servers.servers import Database

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("long_leases")]

OUTBOX = Lease("escalation", "outbox")
_EXPIRE = "UPDATE escalation.leases SET expires_at = clock_timestamp()"


async def connected(database: Database) -> AsyncConnection[Any]:
    dsn = database.dsn("desk_escalation")
    return await AsyncConnection.connect(dsn, autocommit=True)


def taken(database: Database, holder: str) -> Grant | None:
    async def work() -> Grant | None:
        async with await connected(database) as connection:
            return await leadership.take(connection, OUTBOX, holder)

    return asyncio.run(work())


def renewed(database: Database, grant: Grant) -> bool:
    async def work() -> bool:
        async with await connected(database) as connection:
            return await leadership.renew(connection, grant)

    return asyncio.run(work())


def as_owner(database: Database, statement: str) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute(statement)


def test_a_free_lease_is_taken_by_one(database: Database) -> None:
    assert taken(database, "a") == Grant(OUTBOX, "a", 1)
    assert taken(database, "b") is None


def test_many_at_once_are_one(database: Database) -> None:
    async def work() -> list[Grant | None]:
        connections = [await connected(database) for _ in range(8)]
        holders = enumerate(connections)
        grants = await asyncio.gather(
            *(leadership.take(each, OUTBOX, f"h{n}") for n, each in holders)
        )
        for each in connections:
            await each.close()
        return grants

    assert sum(grant is not None for grant in asyncio.run(work())) == 1


def test_each_change_of_hands_has_a_greater_number(database: Database) -> None:
    taken(database, "a")
    as_owner(database, _EXPIRE)

    assert taken(database, "b") == Grant(OUTBOX, "b", 2)


def test_a_holder_that_nobody_replaced_keeps_its_number(database: Database) -> None:
    """As after an absence of PostgreSQL: what was under way may be recorded."""
    first = taken(database, "a")
    as_owner(database, _EXPIRE)

    assert taken(database, "a") == first


def test_a_lease_that_expired_is_renewed_while_nobody_took_it(
    database: Database,
) -> None:
    grant = taken(database, "a")
    assert grant
    as_owner(database, _EXPIRE)

    assert renewed(database, grant)
    assert taken(database, "b") is None


def test_a_former_holder_renews_nothing(database: Database) -> None:
    former = taken(database, "a")
    assert former
    as_owner(database, _EXPIRE)
    taken(database, "b")

    assert not renewed(database, former)


def test_a_former_holder_cannot_record(database: Database, log: EventLog) -> None:
    former = taken(database, "a")
    assert former
    with log.transaction() as cursor:
        leadership.demand(cursor, former)
    as_owner(database, _EXPIRE)
    successor = taken(database, "b")
    assert successor

    with pytest.raises(LeaseLost, match="another process"), log.transaction() as cursor:
        leadership.demand(cursor, former)
    with log.transaction() as cursor:
        leadership.demand(cursor, successor)


def test_the_same_number_of_another_holder_is_not_ours(
    database: Database, log: EventLog
) -> None:
    """After a backup was restored numbers may come a second time."""
    grant = taken(database, "a")
    assert grant
    as_owner(database, "UPDATE escalation.leases SET holder = 'b'")

    with pytest.raises(LeaseLost), log.transaction() as cursor:
        leadership.demand(cursor, grant)


def test_renewing_waits_for_nobody_and_taking_waits_for_a_demand(
    database: Database, log: EventLog
) -> None:
    """Between the demand and the commit nobody else becomes the holder."""
    grant = taken(database, "a")
    assert grant
    as_owner(database, _EXPIRE)
    with log.transaction() as holder:
        leadership.demand(holder, grant)
        with psycopg.connect(database.owner_dsn, autocommit=True) as rival:
            rival.execute("SET lock_timeout = '100ms'")
            with pytest.raises(LockNotAvailable):
                rival.execute("UPDATE escalation.leases SET fence = fence + 1")
            rival.execute("UPDATE escalation.leases SET renewed_at = now()")


def test_a_server_whose_clock_was_set_back_keeps_nobody_waiting(
    database: Database,
) -> None:
    taken(database, "a")
    ahead = leadership.LEASE_SECONDS + 3_600
    as_owner(
        database,
        f"UPDATE escalation.leases SET expires_at = now() + interval '{ahead} s'",
    )

    assert taken(database, "b")


def test_a_server_that_takes_no_writes_counts_as_away(database: Database) -> None:
    as_owner(
        database,
        f"ALTER DATABASE {database.name} SET default_transaction_read_only = on",
    )

    with pytest.raises(OperationalError, match="read-only"):
        taken(database, "a")


def test_a_lease_says_who_holds_it_and_for_how_long_nobody_does(
    database: Database, log: EventLog
) -> None:
    with log.transaction() as cursor:
        assert leadership.look(cursor, OUTBOX).holder == ""
    taken(database, "a")
    with log.transaction() as cursor:
        held = leadership.look(cursor, OUTBOX)
    as_owner(
        database,
        "UPDATE escalation.leases SET renewed_at = now() - interval '65 s',"
        " expires_at = now() - interval '60 s'",
    )
    with log.transaction() as cursor:
        free = leadership.look(cursor, OUTBOX)

    assert (held.holder, held.fence) == ("a", 1)
    assert free.free_seconds >= 60
    assert free.renewed_seconds >= 65


@pytest.mark.parametrize(
    ("schema", "own"),
    [("intake", "desk_intake"), ("escalation", "desk_escalation")],
)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {}.leases SET fence = fence + 1",
        "UPDATE {}.leases SET expires_at = now()",
        "INSERT INTO {}.leases (name) VALUES ('mine')",
        "DELETE FROM {}.leases",
    ],
)
def test_only_its_service_changes_a_lease(
    database: Database, schema: str, own: str, statement: str
) -> None:
    roles = ("desk_intake", "desk_escalation", "desk_sla_watcher", "desk_projections")
    refused = set()
    for role in roles:
        with psycopg.connect(database.dsn(role)) as connection:
            try:
                connection.execute(statement.format(schema))
            except psycopg.errors.InsufficientPrivilege:
                refused.add(role)

    expected = set(roles) - ({own} if statement.startswith("UPDATE") else set())
    assert refused == expected
