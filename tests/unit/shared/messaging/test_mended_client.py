"""What is replaced of the library's client for NATS does what it should."""

import asyncio
from datetime import UTC, datetime
from urllib.parse import urlparse
from uuid import UUID

import pytest
from nats.aio.client import Client, Srv

from shared.eventlog.log import Row
from shared.messaging.connection import MendedClient
from shared.messaging.envelope import headers_of
from tests.support.patience import SECONDS

ROW = Row(
    42,
    "incident-INC-000042",
    3,
    "incident.opened",
    b"{}",
    datetime(2026, 3, 1, 12, tzinfo=UTC),
    UUID(int=7),
    bytes(range(32)),
)


def read_by(client: type[Client], raw: bytes) -> dict[str, str]:
    return client._parse_header_lines(raw)


def test_the_headers_of_an_event_are_read_as_they_were_written() -> None:
    headers = {**headers_of(ROW), "Nats-Batch-Id": "ab12", "Nats-Batch-Sequence": "1"}
    raw = "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    assert read_by(MendedClient, raw.encode()) == headers


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"A: b\r\n\r\n",
        b"A:b\r\nC:\td \r\n\r\n",
        b"A: b: c\r\nno colon\r\nD:\r\n\r\n",
        "A: ça va\r\n\r\n".encode(),
        b"A: \xff\xfe\r\n\r\n",
        b"A: b\r\nA: c\r\n\r\n",
    ],
)
def test_odd_headers_are_read_as_the_library_reads_them(raw: bytes) -> None:
    assert read_by(MendedClient, raw) == read_by(Client, raw)


def test_the_library_still_has_what_is_replaced() -> None:
    own = {name for name in vars(MendedClient) if not name.startswith("__")}
    assert own <= set(vars(Client))


def test_an_answer_for_who_gave_up_is_followed_by_that_for_who_waits() -> None:
    async def scenario() -> bool:
        client = MendedClient()
        gave_up, waits = (asyncio.get_running_loop().create_future() for _ in range(2))
        client._pongs = [gave_up, waits]
        gave_up.cancel()
        await client._process_pong()
        await client._process_pong()
        return bool(waits.result())

    assert asyncio.run(scenario())


def test_a_connection_without_a_greeting_is_closed_before_the_next_attempt() -> None:
    """The library forgets it, and Python warns once it is collected."""
    ended = asyncio.Semaphore(0)

    async def silent(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        ended.release()

    async def scenario() -> bool:
        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            client = MendedClient()
            client.options["connect_timeout"] = SECONDS
            address = Srv(urlparse(f"nats://127.0.0.1:{port}"))
            await client._connect_to_server(address)
            first = client._transport._io_writer  # type: ignore[union-attr]
            await client._connect_to_server(address)
            is_closed = first.is_closing()
            for connection in (first, client._transport):
                connection.close()  # type: ignore[union-attr]
                await ended.acquire()
            return bool(is_closed)

    assert asyncio.run(scenario())
