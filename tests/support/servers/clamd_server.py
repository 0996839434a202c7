"""A scanner that speaks the protocol of clamd, word for word, and knows one virus.

It answers INSTREAM with the prefix `z` as clamd 1.x does: with what it found, with OK,
or that the stream is larger than its `StreamMaxLength`, after which it hangs up.
"""

import asyncio
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.mail.sent_files import EICAR
from tests.support.servers.in_thread import running

STREAM_MAX = 100_000
_COMMAND = b"zINSTREAM\0"


@contextmanager
def clamd(stream_max: int = STREAM_MAX) -> Iterator[str]:
    """Give the address of a scanner."""

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            writer.write(await _reply(reader, stream_max) + b"\0")
            await writer.drain()
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.close()

    async def serve(stop: asyncio.Event, listening: Callable[[int], None]) -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            listening(server.sockets[0].getsockname()[1])
            await stop.wait()

    with running(serve) as port:
        yield f"tcp://127.0.0.1:{port}"


async def _reply(reader: asyncio.StreamReader, stream_max: int) -> bytes:
    if await reader.readexactly(len(_COMMAND)) != _COMMAND:
        return b"UNKNOWN COMMAND"
    content = b""
    while size := struct.unpack(">I", await reader.readexactly(4))[0]:
        if len(content) + size > stream_max:
            return b"INSTREAM size limit exceeded. ERROR"
        content += await reader.readexactly(size)
    if EICAR in content:
        return b"stream: Win.Test.EICAR_HDB-1 FOUND"
    return b"stream: OK"
