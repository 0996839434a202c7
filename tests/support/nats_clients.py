"""Connects to NATS as our processes do, with their inbox prefix, or as sources do."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import nats
import orjson
from nats.aio.client import Client

from shared.messaging.connection import nats_address
from standalone.nats import Bus
from tests.support.patience import SECONDS


async def client_of(url: str, **options: Any) -> Client:
    """Return a client of the servers in `url`, which names the user."""
    address = nats_address(url)
    return await nats.connect(list(address.servers), **address.options, **options)


@asynccontextmanager
async def connected(
    bus: Bus, user: str | None, key: str, inbox: str = "_INBOX"
) -> AsyncIterator[tuple[Client, list[str]]]:
    """Connect with any key; give the client and what the server refuses it."""
    refused: list[str] = []

    async def note(error: Exception) -> None:
        refused.append(str(error))

    login = {"token": key} if user is None else {"user": user, "password": key}
    client = await nats.connect(
        f"nats://127.0.0.1:{bus.port}",
        **login,
        inbox_prefix=inbox,
        error_cb=note,
        allow_reconnect=False,
        connect_timeout=int(SECONDS),
    )
    try:
        yield client, refused
    finally:
        await client.close()


def refused_at_the_door(bus: Bus, user: str | None, key: str) -> bool:
    """Tell whether the server refuses a client; on a socket, as nats-py leaks one."""
    login = {"auth_token": key} if user is None else {"user": user, "pass": key}
    address = ("127.0.0.1", bus.port)
    with socket.create_connection(address, timeout=SECONDS) as client:
        answer = client.makefile("rb")
        answer.readline()  # its greeting
        options = orjson.dumps({"verbose": False, "pedantic": False, **login})
        client.sendall(b"CONNECT " + options + b"\r\nPING\r\n")
        while not (said := answer.readline()).startswith((b"PONG", b"-ERR")):
            assert said.startswith((b"PING", b"INFO")), said
    return said.startswith(b"-ERR")
