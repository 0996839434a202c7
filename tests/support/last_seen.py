"""Prints the position NATS last saw of the log, 0 for none; its URL is the argument."""

import asyncio
import sys

from shared.eventlog.continuity.last_seen import read
from tests.support.nats_clients import client_of


async def _main(url: str) -> int:
    client = await client_of(url)
    try:
        seen = (await read(client.jetstream())).seen
    finally:
        await client.close()
    return seen.position if seen else 0


if __name__ == "__main__":
    print(asyncio.run(_main(sys.argv[1])))  # noqa: T201 # its answer
