"""A load generator of our own, for machines without wrk, and for a steady rate.

`python -m bench.connections URL LOAD SECONDS` is what `bench.sending` starts, in a
process of its own. It uses the plainest HTTP: a request is bytes prepared in advance,
an answer its status and length.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from itertools import count
from time import perf_counter
from typing import cast
from urllib.parse import urlsplit

import uvloop

from bench.figure import percentile
from bench.sending import Load, Sent

STRAGGLE_SECONDS = 15.0


def bodies(load: Load, signal: str) -> Callable[[], bytes]:
    """Return a function that makes the next body, as `signals.lua` does."""
    before, after = signal.split("{key}")
    sent = -1

    def one() -> str:
        nonlocal sent
        sent += 1
        key = f"{load.prefix}-0-{sent % load.keys if load.keys else sent}"
        return f"{before}{key}{after}"

    def body() -> bytes:
        if load.size == 1:
            return one().encode()
        return f"[{','.join(one() for _ in range(load.size))}]".encode()

    return body


class Talk(asyncio.Protocol):
    """One connection: a request, its answer, the next request when it is due."""

    def __init__(
        self, next_request: Callable[[], bytes | None], due_in: Callable[[], float]
    ) -> None:
        self._next_request = next_request
        self._due_in = due_in
        self._heard = b""
        self._began = 0.0
        self._transport: asyncio.Transport | None = None
        self.over = asyncio.get_running_loop().create_future()
        self.statuses: list[int] = []
        self.took: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send at once."""
        self._transport = cast("asyncio.Transport", transport)
        self.wait()

    def wait(self) -> None:
        """Send as soon as the next request is due."""
        asyncio.get_running_loop().call_later(self._due_in(), self.ask)

    def ask(self) -> None:
        """Send the next request, if there is one."""
        assert self._transport
        request = self._next_request()
        if request is None:
            self._transport.close()
            return
        self._began = perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Send again as soon as the answer is complete."""
        self._heard += data
        head, found, body = self._heard.partition(b"\r\n\r\n")
        if not found:
            return
        _, _, length = head.lower().partition(b"content-length: ")
        if len(body) < int(length.partition(b"\r\n")[0]):
            return
        self._heard = b""
        self.took.append(perf_counter() - self._began)
        self.statuses.append(int(head[9:12]))
        self.wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Record whether it ended as expected."""
        if not self.over.done():
            self.over.set_result(exc is None)


async def talk(url: str, token: str, signal: str, load: Load, seconds: float) -> Sent:
    """Send for `seconds`, then wait for the outstanding answers."""
    address = urlsplit(url)
    head = (
        f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"{f'Authorization: Bearer {token}' if token else 'X-Nobody: 1'}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    body_of = bodies(load, signal)
    began = perf_counter()

    def next_request() -> bytes | None:
        if perf_counter() - began > seconds:
            return None
        body = body_of()
        return head + str(len(body)).encode() + b"\r\n\r\n" + body

    numbers = count()

    def due_in() -> float:
        if not load.per_second:
            return 0.0
        return max(0.0, began + next(numbers) / load.per_second - perf_counter())

    loop = asyncio.get_running_loop()
    talks = [
        (
            await loop.create_connection(
                lambda: Talk(next_request, due_in),
                str(address.hostname),
                address.port or 80,
            )
        )[1]
        for _ in range(load.connections)
    ]
    await asyncio.wait([t.over for t in talks], timeout=seconds + STRAGGLE_SECONDS)
    took = [1_000 * ms for t in talks for ms in t.took]
    statuses = [status for t in talks for status in t.statuses]
    return Sent(
        answered=len(statuses),
        refused=sum(status >= 300 for status in statuses),
        broken=sum(not (t.over.done() and t.over.result()) for t in talks),
        seconds=perf_counter() - began,
        p50_ms=percentile(took, 50),
        p99_ms=percentile(took, 99),
    )


def main() -> None:
    """Send as the command line says; print one line with the outcome."""
    url, load, seconds = sys.argv[1:]
    sent = uvloop.run(
        talk(
            url,
            os.environ["BENCH_TOKEN"],
            os.environ["BENCH_SIGNAL"],
            Load(**json.loads(load)),
            float(seconds),
        )
    )
    print(f"RESULT {json.dumps(asdict(sent))}")


if __name__ == "__main__":
    main()
