"""Many listeners of the event stream in a process of its own, each with a session.

`python -m bench.listening URL` reads a JSON line with `secrets`, and how many of the
last of them are `deaf`: they ask for the whole log and never read the answer. It prints
READY once all others are connected, then waits for a line with a position. Once all
have heard of it, or after `STRAGGLE_SECONDS`, it prints what each event's listeners
were: how many, and when the last one got it.
"""

import asyncio
import json
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import cast
from urllib.parse import urlsplit

import uvloop

from services.projections.api.session_cookie import COOKIE

CONNECT_SECONDS = 60.0
STRAGGLE_SECONDS = 30.0
LOOK_SECONDS = 0.05
SMALL_BYTES = 8_192
"""What the system receives for a deaf listener."""
STREAM = "/v1/stream"


@dataclass
class Heard:
    """What all listeners got; `last` has the clock's seconds, by position."""

    count: dict[int, int] = field(default_factory=dict)
    last: dict[int, float] = field(default_factory=dict)
    ended: int = 0
    """How many streams ended before they were told to."""


class Listener(asyncio.Protocol):
    """One stream: its blocks end with an empty line; those of events have a name."""

    def __init__(self, head: bytes, heard: Heard, *, deaf: bool) -> None:
        self._head = head
        self._heard = heard
        self._deaf = deaf
        self._rest = b""
        self.position = -1
        """The newest event it heard of; 0 or more once the stream has begun."""
        self.transport: asyncio.Transport | None = None
        self.is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._head)
        if self._deaf:  # later: uvloop starts to read after this call
            asyncio.get_running_loop().call_soon(self.transport.pause_reading)

    def data_received(self, data: bytes) -> None:
        """Note the events in it."""
        now = time.time()
        *blocks, self._rest = (self._rest + data).split(b"\n\n")
        for block in blocks:
            _, found, id_ = block.rpartition(b"id: ")
            if not found:
                continue
            self.position = int(id_.split(b"\n", 1)[0])
            if b"event: " in block:
                heard = self._heard
                heard.count[self.position] = heard.count.get(self.position, 0) + 1
                heard.last[self.position] = now

    def connection_lost(self, _: Exception | None) -> None:
        """Note a stream that ended too early; a deaf one is ended by the server."""
        if not self.is_over and not self._deaf:
            self._heard.ended += 1


async def listen(url: str, secrets: list[str], deaf: int) -> Heard:
    """Listen until all have heard of the position on standard input."""
    heard = Heard()
    opened = [
        await _opened(url, secret, heard, deaf=number >= len(secrets) - deaf)
        for number, secret in enumerate(secrets)
    ]
    ears = opened[: len(opened) - deaf]
    await _until(lambda: all(e.position >= 0 for e in ears), CONNECT_SECONDS)
    begun = sum(e.position >= 0 for e in ears)
    print(f"READY {begun}", flush=True)
    loop = asyncio.get_running_loop()
    upto = int(await loop.run_in_executor(None, sys.stdin.readline))
    await _until(lambda: all(e.position >= upto for e in ears), STRAGGLE_SECONDS)
    for each in opened:
        each.is_over = True
        if each.transport:
            each.transport.abort()
    return heard


async def _opened(url: str, secret: str, heard: Heard, *, deaf: bool) -> Listener:
    address = urlsplit(url)
    place = f"{STREAM}?after=0" if deaf else STREAM
    head = (
        f"GET {place} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Cookie: {COOKIE}={secret}\r\nAccept: text/event-stream\r\n\r\n"
    ).encode()
    loop = asyncio.get_running_loop()
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    line.setblocking(False)
    if deaf:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BYTES)
    await loop.sock_connect(line, (str(address.hostname), address.port or 80))
    _, listener = await loop.create_connection(
        lambda: Listener(head, heard, deaf=deaf), sock=line
    )
    return listener


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not condition() and loop.time() < until:  # noqa: ASYNC110 # of many streams
        await asyncio.sleep(LOOK_SECONDS)


def main() -> None:
    """Listen as the first line says; print one line with the outcome."""
    asked = json.loads(sys.stdin.readline())
    heard = uvloop.run(listen(sys.argv[1], asked["secrets"], asked["deaf"]))
    print(f"RESULT {json.dumps(asdict(heard))}", flush=True)


if __name__ == "__main__":
    main()
