"""A leader renews its lease while its work goes on, and stops before it expires."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from itertools import repeat
from typing import Any

import psycopg
import pytest

from shared.database.leadership import (
    Candidate,
    Leadership,
    Lease,
    LeaseLost,
    LeaseState,
    look,
)
from tests.support.patience import SECONDS, eventually
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

OUTBOX = Lease("escalation", "outbox")
_SESSIONS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name LIKE 'permanence%'"
)

_WAITS = "wait_event_type = 'Lock' AND query LIKE '%expires_at%'"
_END_SESSIONS = f"SELECT pg_terminate_backend(pid) FROM ({_SESSIONS}) AS s"


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 3 * SECONDS))


def candidate(
    database: Database,
    stall_seconds: float = SECONDS,
    may_write: Callable[[], bool] = lambda: True,
) -> Candidate:
    return Candidate(database.dsn("desk_escalation"), OUTBOX, stall_seconds, may_write)


def state(database: Database) -> LeaseState:
    with psycopg.connect(database.owner_dsn) as connection:
        return look(connection.cursor(), OUTBOX)


def has_a_session(database: Database) -> bool:
    with psycopg.connect(database.owner_dsn) as connection:
        return connection.execute(_SESSIONS).rowcount > 0


def demanded(database: Database, seat: Leadership) -> None:
    with psycopg.connect(database.dsn("desk_escalation")) as connection:
        seat.demand(connection.cursor())


def tell(database: Database, statement: str) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute(statement)


async def loses(seat: Leadership) -> str:
    """Return why it may lead no more, although its work goes on."""

    async def works_in_vain() -> bool:
        seat.prove()
        return False

    with pytest.raises(LeaseLost) as lost:
        await eventually(works_in_vain)
    return str(lost.value)


@asynccontextmanager
async def leading(one: Candidate) -> AsyncIterator[Leadership]:
    async with one.standing() as seat:
        await eventually(seat.won)
        yield seat


@pytest.mark.usefixtures("long_leases")
def test_a_leader_stays_one_and_its_standby_waits(database: Database) -> None:
    async def scenario() -> None:
        async with (
            leading(candidate(database)) as seat,
            candidate(database).standing() as standby,
        ):
            first = (await asyncio.to_thread(state, database)).fence
            renewals: set[object] = set()

            async def is_renewed_twice() -> bool:
                seat.prove()
                assert not await standby.won()
                query = "SELECT renewed_at FROM escalation.leases WHERE name = 'outbox'"
                with psycopg.connect(database.owner_dsn) as connection:
                    renewals.add(connection.execute(query).fetchone())
                return len(renewals) == 3

            await eventually(is_renewed_twice)
            assert state(database).fence == first
            demanded(database, seat)

    run(scenario())


@pytest.mark.usefixtures("long_leases")
def test_who_leaves_in_order_is_followed_at_once(database: Database) -> None:
    async def scenario() -> None:
        async with leading(candidate(database)):
            pass
        assert state(database).free_seconds > 0
        async with candidate(database).standing() as next_one:
            assert await next_one.won()

    run(scenario())


@pytest.mark.usefixtures("long_leases")
def test_who_is_cancelled_while_it_leaves_keeps_no_connection(
    database: Database,
) -> None:
    """As on a busy machine: what does not end at once is cancelled again."""
    seats: list[Leadership] = []

    async def lead_once(other: psycopg.Connection[Any]) -> None:
        async with leading(candidate(database)) as seat:
            seats.append(seat)
            other.execute("SELECT FROM escalation.leases FOR UPDATE")

    def waits_to_release() -> bool:
        with psycopg.connect(database.owner_dsn) as connection:
            return connection.execute(f"{_SESSIONS} AND {_WAITS}").rowcount > 0

    async def scenario() -> None:
        with psycopg.connect(database.owner_dsn) as other:
            leaving = asyncio.create_task(lead_once(other))
            await eventually(waits_to_release)
            leaving.cancel()
            await asyncio.wait({leaving})
        assert leaving.cancelled()
        await eventually(lambda: not has_a_session(database))

    run(scenario())


def test_who_fails_is_followed_once_its_lease_expires(database: Database) -> None:
    """What it had under way may still be recorded until then."""

    async def fail() -> Leadership:
        async with leading(candidate(database)) as seat:
            failed.append(seat)
            raise RuntimeError("a mistake of ours")

    failed: list[Leadership] = []

    async def scenario() -> None:
        with pytest.raises(RuntimeError):
            await fail()
        demanded(database, failed[0])
        async with leading(candidate(database)):
            with pytest.raises(LeaseLost):
                demanded(database, failed[0])

    run(scenario())


def test_work_that_hangs_lets_the_lease_lapse(database: Database) -> None:
    """The event loop runs and could renew: what counts is that the work goes on."""

    async def scenario() -> None:
        async with (
            leading(candidate(database, stall_seconds=0.5)) as hung,
            leading(candidate(database)) as successor,
        ):
            with pytest.raises(LeaseLost):
                hung.check()
            with pytest.raises(LeaseLost):
                demanded(database, hung)
            demanded(database, successor)

    run(scenario())


def test_a_leader_without_postgresql_stops_by_itself(
    database: Database,
) -> None:
    async def scenario() -> None:
        async with leading(candidate(database)) as seat:
            # As if it were gone: the session ends and no new one is let in.
            tell(database, "ALTER ROLE desk_escalation CONNECTION LIMIT 0")
            try:
                tell(database, _END_SESSIONS)
                assert "not renewed in time" in await loses(seat)
            finally:
                tell(database, "ALTER ROLE desk_escalation CONNECTION LIMIT -1")

    run(scenario())


def test_a_leader_whose_session_broke_goes_on_with_another(
    database: Database,
) -> None:
    async def scenario() -> None:
        async with leading(candidate(database)) as seat:
            before = state(database)
            tell(database, _END_SESSIONS)
            await eventually(lambda: has_a_session(database))
            await eventually(lambda: not state(database).free_seconds)
            demanded(database, seat)
            assert state(database).fence == before.fence

    run(scenario())


def test_who_was_replaced_notices_and_is_fenced(database: Database) -> None:
    async def scenario() -> None:
        async with leading(candidate(database)) as seat:
            tell(
                database,
                "UPDATE escalation.leases SET fence = fence + 1, holder = 'b',"
                " expires_at = now() + interval '1 minute'",
            )
            with pytest.raises(LeaseLost):
                demanded(database, seat)
            await loses(seat)
        assert state(database).holder == "b"
        assert not state(database).free_seconds

    run(scenario())


@pytest.mark.usefixtures("long_leases")
def test_a_leader_whose_host_may_not_write_is_replaced(database: Database) -> None:
    """It answers and could renew, and would record nothing of what it does."""
    right = [True]

    async def scenario() -> None:
        wrong = candidate(database, may_write=lambda: right[0])
        async with leading(wrong) as seat:
            right[0] = False
            await loses(seat)
        async with wrong.standing() as again:
            assert not await again.won()
            async with leading(candidate(database)):
                right[0] = True
                assert not await again.won()
            await eventually(again.won)

    run(scenario())


_LOOK_SECONDS = 0.01


async def rested(
    seat: Leadership, answers: Iterator[str], *, woken: bool = False
) -> bool:
    """Rest until one of `answers` finds work; tell whether any of them was used up."""
    calm, awake = asyncio.Event(), asyncio.Event()
    if woken:
        awake.set()
    asked: list[str] = []

    async def finds() -> bool:
        asked.append(next(answers))
        return await seat.finds("SELECT %s::boolean", (asked[-1],))

    await seat.rest(awake, calm, finds, _LOOK_SECONDS)
    return bool(asked)


@pytest.mark.usefixtures("long_leases")
def test_a_leader_rests_until_its_query_finds_work_or_it_is_woken(
    database: Database,
) -> None:
    async def scenario() -> None:
        async with leading(candidate(database)) as seat:
            answers = iter(["false", "false", "true", "true"])
            assert await rested(seat, answers)
            assert list(answers) == ["true"]
            assert not await rested(seat, iter(["true"]), woken=True)

    run(scenario())


def test_a_leader_that_nobody_wakes_looks_for_work_in_the_end(
    database: Database,
) -> None:
    async def scenario() -> None:
        async with leading(candidate(database)) as seat:
            assert await rested(seat, repeat("false"))

    run(scenario())


def test_a_query_without_an_answer_finds_work_so_that_looking_tells_why(
    database: Database,
) -> None:
    async def scenario() -> None:
        async with candidate(database).standing() as seat:
            tell(database, _END_SESSIONS)
            assert await seat.finds("SELECT false", ())

    run(scenario())
