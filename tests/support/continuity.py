"""What watches that the log continues, as it runs in a service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.eventlog.continuity.watch import ContinuityWatch
from shared.eventlog.continuity.witness import Witness
from shared.eventlog.log import EventLog
from shared.http.serve import end
from shared.messaging.connection import Link
from shared.messaging.streams import provision
from standalone.nats import Bus
from tests.support.patience import SECONDS, eventually

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)


@asynccontextmanager
async def watching(
    log: EventLog,
    bus: Bus,
    user: str = "intake",
    *,
    writes: bool = True,
    folder: Path | None = None,
) -> AsyncIterator[ContinuityWatch]:
    """Run a watch that has begun, as a service does; that of intake on made streams."""
    stop = asyncio.Event()
    async with Link(bus.url(user), "test") as link:
        await eventually(lambda: link.client is not None)
        assert link.client
        if user == "intake":
            await provision(link.client.jetstream())
        leads = (lambda: writes) if user == "intake" else None
        watch = ContinuityWatch(log, link, lambda: NOW, Witness(folder, user), leads)
        with pytest.MonkeyPatch.context() as limits:  # a busy NATS answers, too
            for limit in ("START_SECONDS", "ANSWER_SECONDS"):
                limits.setattr(f"shared.eventlog.continuity.watch.{limit}", SECONDS)
            await watch.begin(stop)
        running = asyncio.create_task(watch.run(stop))
        try:
            yield watch
        finally:
            stop.set()
            await end(running)
