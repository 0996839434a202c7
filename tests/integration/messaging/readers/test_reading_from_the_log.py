"""A reader without NATS: everything comes from the log, late but whole."""

import asyncio

import psycopg
import pytest

from shared.database.cursors import Cursors
from shared.database.migrate import MIGRATIONS
from shared.eventlog.continuity.evidence import FIRST, Evidence, Mark
from shared.eventlog.errors import NotContinued
from shared.eventlog.readers.position import tracking_tables
from tests.support.desks.follower import Desk, Entries, apply, reading
from tests.support.patience import eventually

pytestmark = pytest.mark.servers


def test_a_reader_without_nats_applies_every_event_in_order(desk: Desk) -> None:
    async def scenario() -> None:
        desk.happen(1, 2, 1)
        async with reading(desk) as reader:
            await eventually(lambda: len(desk.seen()) == 3)
            desk.happen(3)
            await eventually(lambda: len(desk.seen()) == 4)
            await eventually(lambda: reader.status.state == "polling")

    asyncio.run(scenario())
    assert desk.seen() == [1, 2, 3, 4]


def test_a_reader_goes_on_where_it_was(desk: Desk) -> None:
    async def scenario() -> None:
        for number in range(3):
            desk.happen(number)
            async with reading(desk):
                await eventually(lambda: desk.tracked() == desk.log.head().position)

    asyncio.run(scenario())
    assert desk.seen() == [1, 2, 3]


def test_many_events_are_applied_in_few_transactions(desk: Desk) -> None:
    sizes: list[int] = []

    def counting(cursor: Cursors, entries: Entries) -> None:
        sizes.append(len(entries))
        apply(cursor, entries)

    async def scenario() -> None:
        for _ in range(3):
            desk.happen(*range(700))
        async with reading(desk, apply=counting):
            await eventually(lambda: desk.tracked() == 2_100)

    asyncio.run(scenario())
    assert sizes == [1_000, 1_000, 100]
    assert desk.seen() == list(range(1, 2_101))


def test_what_is_applied_and_the_position_are_one(desk: Desk) -> None:
    """The server throws us out after the tables were changed and before the commit."""
    victims: list[int] = []

    def cut_off_once(cursor: Cursors, entries: Entries) -> None:
        apply(cursor, entries)
        if not victims:
            victims.append(cursor.connection.info.backend_pid)
            desk.tell(f"SELECT pg_terminate_backend({victims[0]})")

    async def scenario() -> None:
        desk.happen(1, 2, 3)
        async with reading(desk, apply=cut_off_once):
            await eventually(lambda: desk.tracked() == 3)

    asyncio.run(scenario())
    assert victims
    assert desk.seen() == [1, 2, 3]
    assert desk.parked() == []


def test_a_deadlock_is_no_fault_of_an_event(desk: Desk) -> None:
    raised: list[Exception] = []

    def deadlocked_once(cursor: Cursors, entries: Entries) -> None:
        if not raised:
            raised.append(psycopg.errors.DeadlockDetected("as the server would say"))
            raise raised[0]
        apply(cursor, entries)

    async def scenario() -> None:
        desk.happen(1)
        async with reading(desk, apply=deadlocked_once):
            await eventually(lambda: desk.tracked() == 1)

    asyncio.run(scenario())
    assert desk.seen() == [1]
    assert desk.parked() == []


def test_a_reader_stops_where_the_log_is_another_one(desk: Desk) -> None:
    async def scenario() -> None:
        desk.happen(1, 2)
        async with reading(desk):
            await eventually(lambda: desk.tracked() == 2)
        desk.tell("UPDATE sla.tracking SET chain = decode(repeat('ab', 32), 'hex')")
        desk.happen(3)
        async with reading(desk) as reader:
            await eventually(lambda: reader.status.state == "stopped")
            assert "another log" in reader.status.why

    asyncio.run(scenario())
    assert desk.seen() == [1, 2]


def test_a_reader_ahead_of_its_log_stops(desk: Desk) -> None:
    """As after a restore of an older state."""

    async def scenario() -> None:
        desk.happen(1)
        async with reading(desk):
            await eventually(lambda: desk.tracked() == 1)
        desk.tell("UPDATE sla.tracking SET position = 7")
        async with reading(desk) as reader:
            await eventually(lambda: reader.status.state == "stopped")

    asyncio.run(scenario())


def test_a_reader_of_a_log_that_does_not_continue_names_the_command(desk: Desk) -> None:
    """It goes on by itself afterwards, and needs no rebuild."""

    async def scenario() -> None:
        desk.happen(1)
        async with reading(desk):
            await eventually(lambda: desk.tracked() == 1)
        desk.tell("UPDATE sla.tracking SET position = 7")
        log = desk.readers_log
        log.continuity.expect(Evidence(Mark(7, bytes(32)), FIRST, "NATS"))
        with pytest.raises(NotContinued), log.transaction() as cursor:
            log.look(cursor)
        async with reading(desk) as reader:
            await eventually(lambda: reader.status.state == "stopped")
            assert "permanence restored" in reader.status.why
            assert "rebuild" not in reader.status.why

    asyncio.run(scenario())


@pytest.mark.parametrize("schema", ["sla", "escalation", "intake"])
def test_migrated_tables_are_those_the_reader_knows(schema: str) -> None:
    file = "0012_closing.sql" if schema == "intake" else "0005_readers.sql"
    text = (MIGRATIONS / file).read_text(encoding="utf-8")

    assert tracking_tables(schema) in text
