"""A connection is settled once the server has taken what was subscribed to."""

import asyncio
from contextlib import suppress

import pytest

from shared.messaging.connection import settled
from standalone.nats import Bus
from tests.support.patience import SECONDS
from tests.support.servers.nats_clients import client_of

pytestmark = pytest.mark.servers


def test_the_server_is_asked_after_it_was_told(bus: Bus) -> None:
    """`Client.flush` asks first: the answer says nothing of the subscription."""
    said: list[bytes] = []
    answered: list[bytes] = []
    ended = asyncio.Event()

    async def copy(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: list[bytes]
    ) -> None:
        with suppress(ConnectionError):  # the server may say more than is read
            while line := await reader.readline():
                heard.append(line.split()[0])
                writer.write(line)
            writer.close()
            await writer.wait_closed()

    async def between(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", bus.port)
        await asyncio.gather(
            copy(reader, to_server, said), copy(from_server, writer, answered)
        )
        ended.set()

    async def scenario() -> None:
        async with await asyncio.start_server(between, "127.0.0.1", 0) as proxy:
            port = proxy.sockets[0].getsockname()[1]
            client = await client_of(bus.url("admin").replace(str(bus.port), str(port)))
            await client.subscribe("desk.event.>")
            await settled(client, SECONDS)
            pings_before = said[: said.index(b"SUB")].count(b"PING")
            assert answered.count(b"PONG") > pings_before
            await client.close()
            await ended.wait()

    asyncio.run(asyncio.wait_for(scenario(), 3 * SECONDS))
