"""A client that is frozen, or on a machine that vanished, gets no more commands."""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from signal import SIGKILL, SIGSTOP

import nats
import pytest
from nats.aio.client import Client
from nats.errors import NoRespondersError

from shared.messaging import subjects
from standalone.nats import Bus
from tests.support.patience import SECONDS, eventually
from tests.support.servers.nats_clients import connected_to

pytestmark = pytest.mark.servers

SUBJECT = subjects.command("incident", "inform")
OWNER = """
import asyncio, sys
from shared.messaging.connection import settled
from tests.support.servers.nats_clients import client_of

async def main():
    client = await client_of(sys.argv[1])
    await client.subscribe(sys.argv[2], queue="intake", cb=take)
    await settled(client, 20)
    print("listening", flush=True)
    await asyncio.Event().wait()

async def take(message):
    await message.respond(b"done")

asyncio.run(main())
"""


async def asked_in_vain(client: Client) -> bool:
    """Ask once more, of whom does not answer; always false."""
    with suppress(nats.errors.TimeoutError):
        await client.request(SUBJECT, b"", 0.2)
    return False


def test_a_frozen_owner_loses_its_subscription(bus: Bus) -> None:
    async def scenario() -> None:
        async with connected_to(bus.url("projections")) as client:
            assert (await client.request(SUBJECT, b"", SECONDS)).data == b"done"
            os.kill(owner.pid, SIGSTOP)
            with pytest.raises(NoRespondersError):
                await eventually(lambda: asked_in_vain(client))

    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, bus.url("intake"), SUBJECT],
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout
        assert owner.stdout.readline() == "listening\n"
        try:
            asyncio.run(scenario())
        finally:
            os.kill(owner.pid, SIGKILL)
