"""Connects to NATS as our processes do, with their inbox prefix, or as sources do."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import nats
import orjson
from nats.aio.client import Client
from nats.js import JetStreamContext

from shared.messaging import subjects
from shared.messaging.address import nats_address
from standalone.nats import Bus
from tests.support.patience import BUSY, SECONDS, awaited, until

ANSWER_SECONDS = 20
"""How long a server on a busy machine may take to greet a client, and for an answer.

Not longer: a cluster that elects a leader loses requests.
"""


CLOSE_SECONDS = 1
"""How long a client that could not connect may take to close."""


class PatientClient(Client):
    """The library's client, which waits for JetStream longer than five seconds."""

    def jetstream(self, **options: Any) -> JetStreamContext:
        """Return what asks JetStream."""
        return super().jetstream(**{"timeout": ANSWER_SECONDS, **options})


async def client_of(url: str, **options: Any) -> Client:
    """Return a client of the servers in `url`, which names the user."""
    address, client = nats_address(url), PatientClient()
    given = {"connect_timeout": ANSWER_SECONDS, **address.options, **options}
    try:
        await client.connect(list(address.servers), **given)
    except BaseException:
        # Else its socket is that of a later test. After a refused TLS handshake the
        # library waits for the end of a connection that never began.
        with suppress(TimeoutError):
            await asyncio.wait_for(client.close(), CLOSE_SECONDS)
        raise
    return client


@asynccontextmanager
async def connected_to(url: str) -> AsyncIterator[Client]:
    """Give a connection to one of the servers in `url`."""
    client = await client_of(url)
    try:
        yield client
    finally:
        await client.close()


def commanded(
    bus: Bus, aggregate: str, verb: str, user: str = "projections", **message: Any
) -> dict[str, Any]:
    """Return the answer to a command that `user` publishes, again while it is busy."""

    async def scenario() -> dict[str, Any]:
        async with connected_to(bus.url(user)) as client:
            subject, body = subjects.command(aggregate, verb), orjson.dumps(message)
            answer = await client.request(subject, body, SECONDS)
            return dict(orjson.loads(answer.data))

    return awaited(
        lambda: asyncio.run(scenario()),
        lambda answer: answer.get("status") not in BUSY,
        "the owner decides",
    )


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


def until_let_in(bus: Bus, user: str | None, key: str) -> None:
    """Return once the server lets somebody in: who answers for it may be away."""
    until(lambda: not refused_at_the_door(bus, user, key), f"{user} is let in")


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
