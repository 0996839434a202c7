"""An error of PostgreSQL within a batch sets no event aside: it is applied later."""

import asyncio
from collections.abc import Callable

import psycopg
import pytest

from shared.database.cursors import Cursors
from shared.eventlog.errors import Unavailable
from shared.eventlog.readers import reader as reader_module
from shared.eventlog.readers.parked_events import retry
from tests.support.builders.short_events import incident
from tests.support.desks.follower import BOOKMARK, Desk, Entries, apply, reading
from tests.support.patience import eventually, until

pytestmark = pytest.mark.servers

Harm = Callable[[Desk, Cursors], None]
LONG = "SELECT count(*) FROM generate_series(1, 1000000000)"


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a reader that was thrown out try again at once."""
    monkeypatch.setattr(reader_module, "RETRY_SECONDS", 0.01)


def idle_too_long(desk: Desk, cursor: Cursors) -> None:
    cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '1ms'")
    _until_gone(desk, cursor.connection.info.backend_pid)
    cursor.execute("SELECT 1")


def idle_too_long_and_hide_it(desk: Desk, cursor: Cursors) -> None:
    try:
        idle_too_long(desk, cursor)
    except psycopg.Error as error:
        raise ValueError("a sentence of ours") from error


def idle_too_long_and_unaware_of_it(desk: Desk, cursor: Cursors) -> None:
    cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '1ms'")
    _until_gone(desk, cursor.connection.info.backend_pid)
    raise ValueError("a sentence of ours")


def terminated(desk: Desk, cursor: Cursors) -> None:
    pid = cursor.connection.info.backend_pid
    desk.tell(f"SELECT pg_terminate_backend({pid})")
    _until_gone(desk, pid)
    cursor.execute("SELECT 1")


def used_after_it_was_terminated(desk: Desk, cursor: Cursors) -> None:
    try:
        terminated(desk, cursor)
    except psycopg.Error:
        cursor.execute("SELECT 1")


def lock_not_granted(desk: Desk, cursor: Cursors) -> None:
    with psycopg.connect(desk.database.owner_dsn) as other:
        other.execute("LOCK TABLE sla.cases")  # which the batch has not touched
        cursor.execute("SET LOCAL lock_timeout = '1ms'")
        cursor.execute("SELECT count(*) FROM sla.cases")


def statement_cancelled(_: Desk, cursor: Cursors) -> None:
    cursor.execute("SET LOCAL statement_timeout = '1ms'")
    cursor.execute(LONG)


def _until_gone(desk: Desk, pid: int) -> None:
    query = f"SELECT FROM pg_stat_activity WHERE pid = {pid}"
    until(lambda: not desk.ask(query), "the server ends the session")


HARMS = [
    idle_too_long,
    idle_too_long_and_hide_it,
    idle_too_long_and_unaware_of_it,
    terminated,
    used_after_it_was_terminated,
    lock_not_granted,
    statement_cancelled,
]


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("events", [1, 3])
def test_nothing_is_parked_and_the_batch_is_applied_later(
    desk: Desk, harm: Harm, events: int
) -> None:
    harmed: list[int] = []

    def harmed_twice(cursor: Cursors, entries: Entries) -> None:
        apply(cursor, entries)
        if len(harmed) < 2:
            harmed.append(len(entries))
            harm(desk, cursor)

    async def scenario() -> None:
        desk.happen(*range(1, events + 1))
        async with reading(desk, apply=harmed_twice):
            await eventually(lambda: desk.tracked() == events)

    asyncio.run(scenario())
    assert len(harmed) == 2
    assert desk.seen() == list(range(1, events + 1))
    assert desk.parked() == []


def test_a_batch_that_was_thrown_out_is_divided(desk: Desk) -> None:
    sizes: list[int] = []

    def slow_with_many(cursor: Cursors, entries: Entries) -> None:
        sizes.append(len(entries))
        apply(cursor, entries)
        if len(entries) > 2:
            idle_too_long(desk, cursor)

    async def scenario() -> None:
        desk.happen(*range(1, 9))
        async with reading(desk, apply=slow_with_many):
            await eventually(lambda: desk.tracked() == 8)

    asyncio.run(scenario())
    assert sizes[:3] == [8, 4, 2]
    assert desk.seen() == list(range(1, 9))
    assert desk.parked() == []


def test_an_event_whose_statement_is_always_cancelled_is_parked_in_the_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "CANCELLED_MAX", 3)
    alone: list[int] = []

    def slow_about_the_second(cursor: Cursors, entries: Entries) -> None:
        if any(entry.position == 2 for entry in entries):
            alone.extend(e.position for e in entries if len(entries) == 1)
            statement_cancelled(desk, cursor)
        apply(cursor, entries)

    async def scenario() -> None:
        desk.happen(1, 2, 3)
        async with reading(desk, apply=slow_about_the_second):
            await eventually(lambda: desk.tracked() == 3)

    asyncio.run(scenario())
    assert desk.parked() == [2]
    assert desk.seen() == [1, 3]
    assert alone == [2] * 4


@pytest.mark.parametrize("harm", [terminated, idle_too_long_and_hide_it])
def test_what_is_retried_meanwhile_stays_parked_and_is_not_called_poison(
    desk: Desk, harm: Harm
) -> None:
    def poison(_: Cursors, __: Entries) -> None:
        raise ValueError("a mistake of ours")

    def harmed(cursor: Cursors, entries: Entries) -> None:
        apply(cursor, entries)
        harm(desk, cursor)

    async def scenario() -> None:
        desk.happen(1)
        async with reading(desk, apply=poison):
            await eventually(lambda: desk.parked() == [1])

    asyncio.run(scenario())
    with pytest.raises(Unavailable):
        retry(desk.readers_log, BOOKMARK, harmed, incident(1))

    assert desk.parked() == [1]
    assert desk.seen() == []
