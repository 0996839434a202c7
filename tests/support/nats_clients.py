"""Connects to NATS as our own processes do: with the inbox prefix of the user."""

from typing import Any

import nats
from nats.aio.client import Client

from shared.nats_address import nats_address


async def client_of(url: str, **options: Any) -> Client:
    """Return a client of the servers in `url`, which names the user."""
    address = nats_address(url)
    return await nats.connect(list(address.servers), **address.options, **options)
