"""A connection to NATS may be cut at any byte: it is made again, and nothing ends."""

import asyncio
import gc
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import chain, repeat

import pytest
from nats.errors import Error
from prometheus_client import CollectorRegistry

from shared.messaging import connection as shared_bus
from shared.messaging.broker import command_broker, started, stop
from shared.messaging.connection import Link
from standalone.nats import Bus
from tests.support.patience import SECONDS, eventually

pytestmark = [
    pytest.mark.servers,
    # The library leaves the socket that was cut to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

GARBAGE = (b"", b"\r\n", b"INFO {", b"INFO {}\r\n", b"INFO []\r\n", b"HTTP/1.1 400\r\n")
CUT_AFTER = (0, 300, *range(780, 866, 6))
"""Bytes of the server, around the end of its INFO and the PONG that follows."""
RESET = struct.pack("ii", 1, 0)


class CuttingProxy:
    """Stands between a client and NATS; every connection but the last ones is cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._plan: Iterator[bytes | int | None] = chain(
            GARBAGE, CUT_AFTER, repeat(None)
        )
        self.cut = 0

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Say garbage and reset, or forward so many bytes of the server and reset."""
        plan = next(self._plan)
        try:
            if isinstance(plan, bytes):
                writer.write(plan)
                await writer.drain()
            else:
                await self._forward(reader, writer, plan)
        except OSError:
            pass  # the client was faster
        finally:
            if plan is not None:
                self.cut += 1
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.close()

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        bytes_max: int | None,
    ) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        sending = asyncio.create_task(_copy(reader, to_server, None))
        try:
            await _copy(from_server, writer, bytes_max)
        finally:
            sending.cancel()
            to_server.close()


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(shared_bus, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(shared_bus, "CONNECT_SECONDS", 0.5)
    monkeypatch.setattr(shared_bus, "PING_SECONDS", 0.1)
    yield
    gc.collect()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bytes_max: int | None
) -> None:
    left = bytes_max
    with suppress(OSError):
        while left is None or left > 0:
            data = await reader.read(65_536 if left is None else left)
            if not data:
                break
            writer.write(data)
            await writer.drain()
            left = None if left is None else left - len(data)


@asynccontextmanager
async def cutting(bus: Bus) -> AsyncIterator[tuple[CuttingProxy, str]]:
    proxy = CuttingProxy(bus.port)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield proxy, bus.url("intake").replace(f":{bus.port}", f":{port}")


ALL_CUT = len(GARBAGE) + len(CUT_AFTER)


async def _comes_through(proxy: CuttingProxy, link: Link) -> bool:
    """Say whether the server answers, once every connection to be cut was cut.

    The link may still hold the last of those: that it has a client says nothing yet.
    """
    if proxy.cut < ALL_CUT or link.client is None:
        return False
    try:
        await link.client.flush()
    except (Error, OSError):
        return False
    return True


def test_a_link_comes_through(bus: Bus) -> None:
    async def scenario() -> None:
        async with cutting(bus) as (proxy, url), Link(url, "test") as link:
            await eventually(lambda: _comes_through(proxy, link))

    asyncio.run(scenario())


def test_a_broker_comes_through(bus: Bus) -> None:
    async def take(_: object) -> None:
        pass

    async def scenario() -> None:
        async with cutting(bus) as (proxy, url):
            broker = command_broker(url, "intake", CollectorRegistry())
            broker.subscriber("desk.command.incident.test", queue="intake")(take)
            told = asyncio.Event()
            assert await asyncio.wait_for(started(broker, told), SECONDS)
            connection = broker.config.connection_state.connection
            await eventually(lambda: proxy.cut == ALL_CUT and connection.is_connected)
            await stop(broker)

    asyncio.run(scenario())
