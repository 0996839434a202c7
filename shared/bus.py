"""A connection to NATS that is made in the background and never given up.

NATS may start after us, vanish and come back: users ask for `client` each time, which
is None meanwhile, and compare `generation` to learn that there was a new beginning.
"""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from nats.aio.client import Client
from nats.errors import Error

from shared.http.serving import end
from shared.nats_address import nats_address
from shared.outage import Outage
from shared.quick_headers import QuickClient

CONNECT_SECONDS = 2
RETRY_SECONDS = 0.5
# A server that vanished without a word is noticed after two of these.
PING_SECONDS = 5
PINGS_MAX = 2
DRAIN_SECONDS = 2


class Link:
    """Keeps one connection to NATS. Use it as an asynchronous context manager.

    `url` may name the servers of a cluster, with commas between them: the next one is
    tried when one is gone.
    """

    def __init__(self, url: str, name: str) -> None:
        self._address = nats_address(url)
        self._name = name
        self._outage = Outage("nats", "trying again; the log is read meanwhile")
        self._client: Client | None = None
        self._closed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.generation = 0
        """Grows with each connection and reconnection."""

    @property
    def client(self) -> Client | None:
        """The connected client, or None while NATS is away."""
        client = self._client
        return client if client is not None and client.is_connected else None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            await end(self._task)

    async def _keep(self) -> None:
        # The library reconnects by itself, but closes for ever on some errors.
        while True:
            client = QuickClient()
            self._closed.clear()
            try:
                await self._connect(client)
                self._client = client
                await self._connected()
                await self._closed.wait()
            except Exception as error:  # noqa: BLE001 # a link may falter, not vanish
                await self._failed(error)
            finally:
                self._client = None
                await close(client)
            await asyncio.sleep(RETRY_SECONDS)

    async def _connect(self, client: Client) -> None:
        await client.connect(
            list(self._address.servers),
            **self._address.options,  # type: ignore[arg-type] # all of them are text
            name=self._name,
            error_cb=self._failed,
            reconnected_cb=self._connected,
            closed_cb=self._has_closed,
            connect_timeout=CONNECT_SECONDS,
            reconnect_time_wait=RETRY_SECONDS,  # type: ignore[arg-type] # it sleeps so long
            max_reconnect_attempts=-1,
            ping_interval=PING_SECONDS,
            max_outstanding_pings=PINGS_MAX,
            drain_timeout=DRAIN_SECONDS,
        )

    async def _connected(self) -> None:
        self.generation += 1
        self._outage.back()

    async def _failed(self, error: Exception) -> None:
        self._outage.away(error)

    async def _has_closed(self) -> None:
        self._closed.set()


async def close(client: Client) -> None:
    """Close a client in any state, pending or broken, within a bounded time."""
    with suppress(Error, OSError, TimeoutError):
        await asyncio.wait_for(client.close(), DRAIN_SECONDS)
