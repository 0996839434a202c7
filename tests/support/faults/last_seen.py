"""Prints the position NATS last saw of the log, 0 for none; its URL is the argument."""

import asyncio
import sys

from shared.eventlog.continuity.last_seen import read
from tests.support.servers.nats_clients import connected_to


async def _main(url: str) -> int:
    async with connected_to(url) as client:
        seen = (await read(client.jetstream())).seen
    return seen.position if seen else 0


if __name__ == "__main__":
    print(asyncio.run(_main(sys.argv[1])))  # noqa: T201 # its answer
