"""A connection to NATS for one errand of the command line: soon made, or given up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
from nats.aio.client import Client

from shared.bus import PING_SECONDS, PINGS_MAX, close
from shared.nats_address import nats_address

CONNECT_SECONDS = 2
GIVE_UP_SECONDS = 8.0
"""How long to try in all: where a server refuses, the library goes on for minutes."""


@asynccontextmanager
async def nats_session(url: str) -> AsyncIterator[Client]:
    """Connect to the servers of `url`.

    Raises an error of `nats.errors`, `OSError` or `TimeoutError`; `ValueError` if `url`
    is not an address.
    """
    where = nats_address(url)
    async with asyncio.timeout(GIVE_UP_SECONDS):
        client = await nats.connect(
            list(where.servers),
            **where.options,
            connect_timeout=CONNECT_SECONDS,
            allow_reconnect=False,
            ping_interval=PING_SECONDS,
            max_outstanding_pings=PINGS_MAX,
            error_cb=_quiet,
        )
    try:
        yield client
    finally:
        await close(client)


async def _quiet(_: Exception) -> None:
    """Say nothing: what fails is raised, and told once."""
