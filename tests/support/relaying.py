"""A relay meanwhile, elected or not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from services.intake.relay import Relay, seat
from shared.bus import Link
from shared.leadership import Leadership
from shared.serving import end
from tests.support.following import Desk, until
from tests.support.patience import SECONDS


class Usurper(Leadership):
    """Leads without the lock, as one who has not noticed its loss."""

    def __init__(self) -> None:
        """Hold no connection."""

    async def won(self) -> bool:
        """Tell a lie."""
        return True

    async def prove(self) -> None:
        """Notice nothing."""


@asynccontextmanager
async def usurping(_: str) -> AsyncIterator[Leadership]:
    """Give a seat to whoever asks."""
    yield Usurper()


@asynccontextmanager
async def relaying(
    desk: Desk,
    url: str,
    elect: Callable[[str], AbstractAsyncContextManager[Leadership]] = seat,
) -> AsyncIterator[Relay]:
    """Run a relay meanwhile, which has found the end of the stream."""
    stop = asyncio.Event()
    async with Link(url, "relay") as link:
        relay = Relay(desk.log, desk.database.dsn("desk_intake"), link, elect)
        running = asyncio.create_task(relay.run(stop))
        try:
            await until(lambda: relay._state.found)
            yield relay
        finally:
            stop.set()
            await asyncio.wait_for(asyncio.shield(running), SECONDS)
            await end(running)


async def arrived(relay: Relay, position: int) -> None:
    await until(lambda: relay._state.position >= position)
