"""What watches that the log continues, as it runs in a service."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import pytest

from shared.eventlog.continuity.last_seen import LastSeen, read
from shared.eventlog.continuity.watch import ContinuityWatch
from shared.eventlog.continuity.witness import Witness
from shared.eventlog.log import EventLog
from shared.http.serve import end
from shared.messaging.connection import Link
from shared.messaging.streams import provision
from standalone.nats import Bus
from tests.support.patience import SECONDS, eventually
from tests.support.servers.nats_clients import connected_to

Given = ParamSpec("Given")
NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)


def in_a_loop(
    test: Callable[Given, Coroutine[None, None, None]],
) -> Callable[Given, None]:
    """Return a test that runs in an event loop of its own."""

    @wraps(test)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


async def last_seen(bus: Bus) -> LastSeen | None:
    """Return the record in NATS."""
    async with connected_to(bus.url("admin")) as client:
        return (await read(client.jetstream())).seen


async def until_seen(bus: Bus, position: int) -> LastSeen:
    """Wait until the record has gone as far; return it."""

    async def is_seen() -> bool:
        seen = await last_seen(bus)
        return seen is not None and seen.position >= position

    await eventually(is_seen)
    seen = await last_seen(bus)
    assert seen
    return seen


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
