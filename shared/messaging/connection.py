"""Connections to NATS: a permanent one for services, a short one for the command line.

`Link` connects in the background and never gives up. NATS may start later than the
service, disappear and come back: callers get `client` each time, which is None in the
meantime, and compare `generation` to detect a reconnection.

`MendedClient` replaces functions of nats-py 2.16. If the library renames one, its own
is used, and a test fails.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Self

import nats
from nats.aio.client import Client, Srv
from nats.errors import Error

from shared.http.serve import end
from shared.messaging.address import nats_address
from shared.observability.telemetry import Outage


class MendedClient(Client):
    """The library's client with three functions replaced; FastStream has its own."""

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        """Return the headers in `raw`, lines of `Name: value`, as the library does.

        Every event has sixteen of them. The library checks each character of a name for
        a space, which took readers more time than all other work for an event. Names
        with spaces, which the desk's servers never send, are kept here.
        """
        lines = raw.decode("utf-8", "replace").split("\r\n")
        parted = (line.partition(":") for line in lines)
        return {name: value.strip() for name, sep, value in parted if sep}

    async def _process_pong(self) -> None:
        """Resolve the oldest waiter, unless it has timed out.

        The library would raise `InvalidStateError` and read nothing for ten seconds,
        while it says that it is connected.
        """
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()

    async def _connect_to_server(self, s: Srv) -> None:
        """Connect, and close the transport of the attempt before, which it drops."""
        if self._transport is not None:
            self._transport.close()  # type: ignore[no-untyped-call] # the library's
        await super()._connect_to_server(s)


CONNECT_SECONDS = 2
RETRY_SECONDS = 0.5
# A server that disappeared silently is detected after two of these.
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
        """Increases with each connection and reconnection."""

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
        # The library reconnects by itself, but closes permanently on some errors.
        while True:
            client = MendedClient()
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


async def settled(client: Client, seconds: int) -> None:
    """Return once the server has taken what `client` subscribed to and published.

    `Client.flush` of nats-py 2.16 writes its PING at once, ahead of what the library's
    own task has yet to write. The task has done so when the answer comes, so a second
    PING follows it. `FlushTimeoutError`: an answer took longer than `seconds`.
    """
    await client.flush(seconds)
    await client.flush(seconds)


async def close(client: Client) -> None:
    """Close a client in any state, pending or broken, within a bounded time."""
    with suppress(Error, OSError, TimeoutError):
        await asyncio.wait_for(client.close(), DRAIN_SECONDS)


NATS_SESSION_CONNECT_SECONDS = 2
GIVE_UP_SECONDS = 8.0
"""The total timeout: if a server refuses, the library tries for minutes."""


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
            connect_timeout=NATS_SESSION_CONNECT_SECONDS,
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
    """Ignore the error: it is raised and reported elsewhere."""
