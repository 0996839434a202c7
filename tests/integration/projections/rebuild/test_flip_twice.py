"""A generation may be gone before its follower knows that it is no longer live."""

import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest

from services.projections.live_generation import Follower
from services.projections.snapshots import Progress
from shared.eventlog.log import EventLog
from shared.messaging.live_feed import Deliveries
from tests.support.builders.written_histories import (
    MASTER,
    QUEUE,
    followed,
    live_of,
    rebuilt,
)
from tests.support.patience import SECONDS
from tests.support.servers.servers import Database
from tests.support.strategies.histories import opened

pytestmark = pytest.mark.servers


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    with closing(EventLog.open(database.owner_dsn, master=MASTER)) as log:
        yield log


def test_a_follower_of_a_dropped_generation_follows_the_live_one(
    database: Database, log: EventLog
) -> None:
    log.record("incident-INC-000001", 0, [opened("INC-000001")])
    first = followed(database, QUEUE, log)
    rebuilt(database, QUEUE)
    rebuilt(database, QUEUE)
    live = live_of(log, QUEUE)
    assert live not in (None, first)
    head = log.record("incident-INC-000002", 0, [opened("INC-000002")])[-1].position
    # It was told of the first generation, and fell asleep before it opened it.
    told = iter([first])

    async def follow() -> None:
        progress, stop = Progress(), asyncio.Event()
        with closing(
            EventLog.open(database.dsn("desk_projections"), master=MASTER)
        ) as own:
            follower = Follower(
                QUEUE,
                own,
                Deliveries(None),
                progress,
                lambda _: next(told, None) or str(live),
            )
            following = asyncio.create_task(follower.run(stop))
            await progress.wait(QUEUE.name, head, SECONDS)
            state = follower.status.state
            stop.set()
            await following
        assert follower.status.tracked.position == head, state

    asyncio.run(follow())
