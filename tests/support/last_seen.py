"""Prints the position NATS last saw of the log, 0 for none; its URL is the argument."""

import asyncio
import sys

import nats

from shared.last_seen import read


async def _main(url: str) -> int:
    client = await nats.connect(url)
    try:
        seen = (await read(client.jetstream())).seen
    finally:
        await client.close()
    return seen.position if seen else 0


if __name__ == "__main__":
    print(asyncio.run(_main(sys.argv[1])))  # noqa: T201 # its answer
