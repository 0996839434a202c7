"""Who takes nothing of an answer does not keep it open; who takes it slowly may."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, Router

from shared.http.serve import serve
from tests.support.patience import SECONDS
from tests.support.servers.in_thread import running

PART = bytes(64 * 1024 * 1024)
"""More than is taken in a test: it waits all the time."""


@pytest.fixture
def given_up() -> threading.Event:
    """Is set once the answer is no longer made."""
    return threading.Event()


@pytest.fixture
def line(
    given_up: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """Ask for an answer without end."""

    async def parts() -> AsyncIterator[bytes]:
        try:
            while True:
                yield PART
                await asyncio.sleep(0)
        finally:
            given_up.set()

    async def endless(_: Request) -> Response:
        return StreamingResponse(parts())

    async def run(stop: asyncio.Event, listening: Callable[[int], None]) -> None:
        app = Router([Route("/", endless)])
        await serve(app, "127.0.0.1", 0, stop, listening=listening)

    monkeypatch.setattr("shared.http.server.STALLED_SECONDS_MAX", 1.0)
    with (
        running(run) as port,
        closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as made,
    ):
        made.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        yield made


def test_an_answer_that_nobody_takes_is_given_up(
    line: socket.socket, given_up: threading.Event
) -> None:
    assert line.recv(9) == b"HTTP/1.1 "
    assert given_up.wait(timeout=SECONDS)


def test_an_answer_that_is_taken_bit_by_bit_goes_on(
    line: socket.socket, given_up: threading.Event
) -> None:
    for _ in range(30):  # longer than a client may take nothing
        assert not given_up.wait(timeout=0.05)
        for _ in range(16):
            assert line.recv(65_536)
