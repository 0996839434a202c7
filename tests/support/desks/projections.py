"""The readers of read models, in a thread of the test."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

from structlog.testing import capture_logs

from services.projections.generations import ReadModel
from services.projections.live_generation import Follower
from services.projections.rebuild.rebuild import ensure
from services.projections.snapshots import Progress
from shared.clock import real_clock
from shared.eventlog.log import EventLog
from shared.messaging.live_feed import Deliveries
from tests.support.builders.written_histories import MASTER
from tests.support.servers.in_thread import running
from tests.support.servers.servers import Database


@contextmanager
def projecting(database: Database, *models: ReadModel[Any]) -> Iterator[None]:
    """Follow the log into these read models meanwhile, as their service would."""
    dsn = database.dsn("desk_projections")
    with closing(EventLog.open(dsn, master=MASTER)) as log:
        followers = [
            Follower(
                model,
                log,
                Deliveries(None),
                Progress(),
                partial(ensure, dsn, MASTER, model, real_clock),
            )
            for model in models
        ]

        async def service(
            stop: asyncio.Event, listening: Callable[[int], None]
        ) -> None:
            listening(0)
            await asyncio.gather(*(follower.run(stop) for follower in followers))

        # What it logs is no part of what a command prints meanwhile.
        with capture_logs(), running(service):
            yield
