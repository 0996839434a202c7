"""Several processes run one reader: the one that moves the position applies."""

import asyncio
import threading

import pytest

from shared.database.cursors import Cursors
from shared.eventlog.readers.position import Overtaken, Tracked
from shared.eventlog.readers.transaction import Part, apply_rows
from tests.support.desks.follower import BOOKMARK, Desk, Entries, apply, reading
from tests.support.patience import SECONDS, eventually

pytestmark = pytest.mark.servers


def where(desk: Desk) -> Tracked:
    with desk.readers_log.transaction() as cursor:
        return BOOKMARK.start(cursor)


def test_who_comes_second_applies_nothing(desk: Desk) -> None:
    desk.happen(1, 2, 3)
    before, rows = where(desk), desk.rows()
    apply_rows(desk.readers_log, Part(BOOKMARK, apply, before), rows[:2])

    with pytest.raises(Overtaken):
        apply_rows(desk.readers_log, Part(BOOKMARK, apply, before), rows)

    assert desk.seen() == [1, 2]


def test_two_readers_at_once_apply_each_event_once(desk: Desk) -> None:
    async def scenario() -> None:
        async with reading(desk) as one, reading(desk) as other:
            for _ in range(20):
                await asyncio.to_thread(desk.happen, 1, 2, 3)
            await eventually(lambda: desk.tracked() == 60)
            states = {one.status.state, other.status.state}
            assert "stopped" not in states

    asyncio.run(scenario())
    assert desk.seen() == list(range(1, 61))
    assert desk.parked() == []


def test_a_standby_takes_over_from_one_that_is_gone(desk: Desk) -> None:
    async def scenario() -> None:
        async with reading(desk, standby=0.05) as standby:
            async with reading(desk, standby=0.05):

                def one_lost() -> bool:
                    desk.happen(1)
                    return standby.status.state == "standby"

                await eventually(one_lost)
            count = len(desk.rows())
            desk.happen(2)
            await eventually(lambda: desk.tracked() == count + 1)

    asyncio.run(scenario())
    assert desk.seen() == [row.position for row in desk.rows()]


def test_a_zombie_in_mid_transaction_is_overtaken_and_loses(desk: Desk) -> None:
    """It stalls holding its row; PostgreSQL throws it out; it wakes up too late."""
    stalled, wake = threading.Event(), threading.Event()

    def stalling_once(cursor: Cursors, entries: Entries) -> None:
        apply(cursor, entries)
        if not stalled.is_set():
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '1s'")
            stalled.set()
            assert wake.wait(SECONDS)

    async def scenario() -> None:
        desk.happen(1)
        async with reading(desk, apply=stalling_once) as zombie:
            await eventually(stalled.is_set)
            async with reading(desk):
                await eventually(lambda: desk.tracked() == 1)
                desk.happen(2)
                await eventually(lambda: desk.tracked() == 2)
                wake.set()
                await eventually(lambda: zombie.status.tracked.position == 2)
                desk.happen(3)
                await eventually(lambda: desk.tracked() == 3)

    asyncio.run(scenario())
    assert desk.seen() == [1, 2, 3]
    assert desk.parked() == []
