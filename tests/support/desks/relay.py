"""A relay meanwhile, elected or not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from services.intake.relay.relay import LEASE, Relay, relay_candidate
from shared.database.leadership import Candidate, Leadership
from shared.http.serve import end
from shared.messaging.connection import Link
from tests.support.desks.follower import Desk
from tests.support.desks.leadership import Unfenced
from tests.support.patience import SECONDS, eventually


class Usurper(Candidate):
    """Gives a seat to whoever asks."""

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[Leadership]:
        """Give it at once."""
        yield Unfenced()


def usurper(dsn: str) -> Candidate:
    """Return a relay's candidate that always wins."""
    return Usurper(dsn, LEASE)


@asynccontextmanager
async def relaying(
    desk: Desk,
    url: str,
    candidate: Callable[[str], Candidate] = relay_candidate,
) -> AsyncIterator[Relay]:
    """Run a relay meanwhile, which has found the end of the stream."""
    stop = asyncio.Event()
    async with Link(url, "relay") as link:
        relay = Relay(desk.log, link, candidate(desk.database.dsn("desk_intake")))
        running = asyncio.create_task(relay.run(stop))
        try:
            await eventually(lambda: relay._state.found)
            yield relay
        finally:
            stop.set()
            await asyncio.wait_for(asyncio.shield(running), SECONDS)
            await end(running)


async def arrived(relay: Relay, position: int) -> None:
    await eventually(lambda: relay._state.position >= position)
