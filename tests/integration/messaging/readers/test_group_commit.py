"""Readers that apply the same events share a transaction, but not each other's faults.

Where a test says `PATIENT`, silence alone would not bring the log's events in time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from threading import Event

import psycopg
import pytest
from nats.aio.client import Client

from services.projections.read_models import MODELS
from shared.database.cursors import Cursors
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog, Row
from shared.eventlog.readers import group_commit, transaction
from shared.eventlog.readers.group_commit import GroupCommit
from shared.eventlog.readers.position import Bookmark, Tracked
from shared.eventlog.readers.reader import Reader
from shared.eventlog.readers.transaction import Apply, Part
from shared.messaging.connection import Link
from shared.messaging.live_feed import Deliveries
from standalone.nats import Bus
from tests.support.desks.api import serving
from tests.support.desks.follower import PATIENT, Desk, Entries, provisioned, send
from tests.support.patience import SECONDS, eventually
from tests.support.strategies.histories import opened

pytestmark = pytest.mark.servers

NAMES = ("one", "other")


@pytest.fixture(autouse=True)
def patient_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a group take the time of a busy machine."""
    monkeypatch.setattr(transaction, "STATEMENT_SECONDS", SECONDS)
    monkeypatch.setattr(group_commit, "GROUP_SECONDS", SECONDS)


def noting(name: str) -> Apply:
    """Return what notes each event under the reader's name and the transaction."""

    def apply(cursor: Cursors, entries: Entries) -> None:
        cursor.execute(
            "INSERT INTO sla.seen (position, stream)"
            " SELECT unnest(%s::bigint[]), %s || ' ' || pg_current_xact_id()",
            ([entry.position for entry in entries], name),
        )

    return apply


def applied(desk: Desk) -> dict[str, list[int]]:
    """Return the events that each reader applied, in this order."""
    rows = desk.ask(
        "SELECT split_part(stream, ' ', 1), position FROM sla.seen ORDER BY n"
    )
    return {
        name: [position for reader, position in rows if reader == name]
        for name in NAMES
    }


def transactions(desk: Desk) -> int:
    """Return how many transactions applied something."""
    query = "SELECT count(DISTINCT split_part(stream, ' ', 2)) FROM sla.seen"
    return int(desk.ask(query)[0][0])


def parked(desk: Desk) -> list[tuple[str, int]]:
    """Return the readers of parked events, and their positions."""
    return desk.ask("SELECT reader, position FROM sla.parked ORDER BY 1, 2")


def part(desk: Desk, name: str, apply: Apply | None = None) -> Part:
    """Return the part of a reader at its tracked position."""
    bookmark = Bookmark("sla", name)
    with desk.readers_log.transaction() as cursor:
        before = bookmark.start(cursor)
    return Part(bookmark, apply or noting(name), before)


def together(desk: Desk, *asked: tuple[Part, list[Row]]) -> list[Tracked | None]:
    """Return what a group answers readers that come at the same time."""

    async def scenario() -> list[Tracked | None]:
        with ThreadPoolExecutor(1) as executor:
            group = GroupCommit(desk.readers_log, executor)
            return await asyncio.gather(*(group.apply(*each) for each in asked))

    return asyncio.run(asyncio.wait_for(scenario(), SECONDS))


@pytest.mark.parametrize("names", [NAMES, NAMES[::-1]])
def test_what_several_readers_are_about_to_apply_is_one_transaction(
    desk: Desk, names: tuple[str, str]
) -> None:
    desk.happen(1, 2)
    rows = desk.rows()

    reached = together(desk, *((part(desk, name), rows) for name in names))

    assert [after and after.position for after in reached] == [2, 2]
    assert applied(desk) == {"one": [1, 2], "other": [1, 2]}
    assert transactions(desk) == 1
    # Whoever comes first, two processes never wait for each other.
    order = desk.ask("SELECT split_part(stream, ' ', 1) FROM sla.seen ORDER BY n")
    assert [reader for (reader,) in order] == ["one", "one", "other", "other"]


def overtaken(desk: Desk, name: str) -> Part:
    late = part(desk, name)
    with desk.readers_log.transaction() as cursor:
        late.bookmark.move(cursor, late.before, desk.rows()[0])
    return late


def failing(desk: Desk, name: str) -> Part:
    def fail(cursor: Cursors, entries: Entries) -> None:
        noting(name)(cursor, entries)
        raise ValueError("a mistake of ours")

    return part(desk, name, fail)


def slow(desk: Desk, name: str) -> Part:
    def take_long(cursor: Cursors, entries: Entries) -> None:
        noting(name)(cursor, entries)
        cursor.execute("SET LOCAL statement_timeout = '1ms'")
        cursor.execute("SELECT count(*) FROM generate_series(1, 1000000000)")

    return part(desk, name, take_long)


@pytest.mark.parametrize("harmed", [overtaken, failing, slow])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_applied_together_that_one_cannot_apply(
    desk: Desk, harmed: Callable[[Desk, str], Part], name: str
) -> None:
    desk.happen(1)
    parts = [harmed(desk, n) if n == name else part(desk, n) for n in NAMES]

    assert together(desk, *((each, desk.rows()) for each in parts)) == [None, None]
    assert applied(desk) == {"one": [], "other": []}


def test_nobody_waits_for_a_position_that_somebody_holds(desk: Desk) -> None:
    desk.happen(1)
    asked = [(part(desk, name), desk.rows()) for name in NAMES]

    with psycopg.connect(desk.database.owner_dsn) as holder:
        holder.execute("SELECT FROM sla.tracking WHERE reader = 'other' FOR UPDATE")
        assert together(desk, *asked) == [None, None]

    assert applied(desk) == {"one": [], "other": []}


def test_without_postgresql_nobody_is_told_to_go_on_alone(desk: Desk) -> None:
    def cut_off(cursor: Cursors, _: Entries) -> None:
        desk.tell(f"SELECT pg_terminate_backend({cursor.connection.info.backend_pid})")
        cursor.execute("SELECT 1")

    desk.happen(1)
    parts = [part(desk, "one"), part(desk, "other", cut_off)]

    with pytest.raises(Unavailable):
        together(desk, *((each, desk.rows()) for each in parts))

    assert applied(desk) == {"one": [], "other": []}


@pytest.mark.parametrize("kind", ["alone", "other rows", "many rows"])
def test_a_reader_that_shares_with_no_one_is_told_to_go_on_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(group_commit, "EVENTS_MAX", 2)
    desk.happen(1, 2, 3)
    rows = desk.rows()
    one, other = (part(desk, name) for name in NAMES)
    asked = {
        "alone": [(one, rows[:2])],
        "other rows": [(one, rows[:1]), (other, rows[:2])],
        "many rows": [(one, rows), (other, rows)],
    }

    reached = together(desk, *asked[kind])

    assert reached == [None] * len(asked[kind])
    assert applied(desk) == {"one": [], "other": []}


def test_a_reader_that_ends_meanwhile_keeps_no_one_from_going_on(desk: Desk) -> None:
    desk.happen(1)
    rows = desk.rows()

    async def scenario() -> Tracked | None:
        with ThreadPoolExecutor(1) as executor:
            group = GroupCommit(desk.readers_log, executor)
            ends, goes_on = (
                asyncio.ensure_future(group.apply(part(desk, name), rows))
                for name in NAMES
            )
            await asyncio.sleep(0)
            ends.cancel()
            return await goes_on

    after = asyncio.run(asyncio.wait_for(scenario(), SECONDS))
    assert after is not None
    assert part(desk, "one").before == part(desk, "other").before == after


def test_a_group_that_hangs_keeps_no_one_from_going_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "GROUP_SECONDS", 0.01)
    goes_on = Event()

    def hang(cursor: Cursors, entries: Entries) -> None:
        noting("one")(cursor, entries)
        goes_on.wait()

    desk.happen(1)
    rows = desk.rows()
    parts = [part(desk, "one", hang), part(desk, "other")]
    third = part(desk, "third")

    async def scenario() -> tuple[list[Tracked | None], Tracked | None]:
        with ThreadPoolExecutor(1) as executor:
            group = GroupCommit(desk.readers_log, executor)
            try:
                held = await asyncio.gather(
                    *(group.apply(each, rows) for each in parts)
                )
                return held, await group.apply(third, rows)
            finally:
                goes_on.set()

    assert asyncio.run(asyncio.wait_for(scenario(), SECONDS)) == ([None, None], None)


@asynccontextmanager
async def both_live(
    desk: Desk, bus: Bus, **applies: Apply
) -> AsyncIterator[tuple[Client, dict[str, Reader]]]:
    """Run two readers that share what they can, beside a client that publishes."""
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(provisioned(bus.url("intake")))
        link = Link(bus.url("sla_watcher"), "readers")
        deliveries = Deliveries(await stack.enter_async_context(link))
        executor = stack.enter_context(ThreadPoolExecutor(1))
        group = GroupCommit(desk.readers_log, executor)
        readers = {
            name: Reader(
                desk.readers_log,
                Bookmark("sla", name),
                applies.get(name, noting(name)),
                deliveries,
                silence=PATIENT,
                group=group,
            )
            for name in NAMES
        }
        running = [asyncio.create_task(each.run(stop)) for each in readers.values()]
        try:
            await eventually(
                lambda: all(each.status.state == "live" for each in readers.values())
            )
            yield client, readers
        finally:
            stop.set()
            for each in readers.values():
                each.wake()
            await asyncio.wait_for(asyncio.gather(*running), SECONDS)


async def all_at(readers: dict[str, Reader], position: int) -> None:
    """Wait until both readers have passed this event."""
    await eventually(
        lambda: all(r.status.tracked.position == position for r in readers.values())
    )


def test_live_readers_share_a_transaction_for_each_delivery(
    desk: Desk, bus: Bus
) -> None:
    async def scenario() -> None:
        async with both_live(desk, bus) as (client, readers):
            for position in (1, 2, 3):
                desk.happen(position)
                await send(client, desk.rows(position))
                await all_at(readers, position)

    asyncio.run(scenario())
    assert applied(desk) == {"one": [1, 2, 3], "other": [1, 2, 3]}
    assert transactions(desk) == 3


def test_an_event_that_one_cannot_apply_is_parked_for_that_one_alone(
    desk: Desk, bus: Bus
) -> None:
    def picky(cursor: Cursors, entries: Entries) -> None:
        noting("one")(cursor, entries)
        if any(entry.position == 2 for entry in entries):
            raise ValueError("a mistake of ours")

    async def scenario() -> None:
        async with both_live(desk, bus, one=picky) as (client, readers):
            for position in (1, 2, 3):
                desk.happen(position)
                await send(client, desk.rows(position))
                await all_at(readers, position)

    asyncio.run(scenario())
    assert applied(desk) == {"one": [1, 3], "other": [1, 2, 3]}
    assert parked(desk) == [("one", 2)]
    assert transactions(desk) == 3


def test_the_read_models_of_the_service_share_transactions(
    desk: Desk, bus: Bus, tmp_path: Path
) -> None:
    """Once is enough: at other times one of them may just have looked at the log."""

    def moved() -> list[tuple[int, str]]:
        """Return where each read model is, and the transaction that moved it there."""
        tables = desk.ask("SELECT schema_name || '.tracking' FROM rm.active")
        queries = [f"SELECT position, xmin::text FROM {table}" for (table,) in tables]
        return [row for query in queries for row in desk.ask(query)]

    async def scenario(log: EventLog) -> None:
        async with provisioned(bus.url("intake")) as client:
            for number in count(1):
                ref = f"INC-{number:06d}"
                log.record(f"incident-{ref}", 0, [opened(ref)])
                await send(client, log.rows_since(number - 1, 1))
                await eventually(lambda n=number: {p for p, _ in moved()} == {n})  # type: ignore[misc]
                if len(set(moved())) == 1:
                    return

    with serving(desk.database, bus, tmp_path) as api:
        asyncio.run(asyncio.wait_for(scenario(api.log), SECONDS))
        assert len(moved()) == len(MODELS)
