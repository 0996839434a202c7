"""A child's output as lines, however long, without a newline or in strange bytes."""

import asyncio
from collections.abc import AsyncIterator

_CHUNK = 1 << 16
_LONGEST = 1 << 20


async def lines(output: asyncio.StreamReader) -> AsyncIterator[str]:
    """Give each line without its end; one over 1 MiB comes in parts."""
    held = b""
    while chunk := await output.read(_CHUNK):
        *whole, held = (held + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
        if len(held) > _LONGEST:
            yield held.decode("utf-8", "replace")
            held = b""
    if held:
        yield held.decode("utf-8", "replace")
