"""Connections that are opened and left: they keep nobody else out."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, Router

from shared.http.bodies import read_body
from shared.http.serve import serve
from tests.support.patience import SECONDS, until
from tests.support.servers.in_thread import running

MOST = 6
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
STREAM = b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
HELD = b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
LEFT = {
    "silent": b"",
    "half a head": POST,
    "half a body": POST + b"\r\n{",
    "half a body that nobody reads": POST.replace(b"/ ", b"/refused ") + b"\r\n{",
    "answered before": GET,
}
ATTACKER, OTHER = "127.0.0.2", "127.0.0.3"


@dataclass
class Work:
    """Requests at work: how many were begun and ended, and whether they may end."""

    begun: int = 0
    ended: int = 0
    may_end: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def port(work: Work, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr("shared.http.serve.CONNECTIONS_MAX", MOST)

    async def taken(request: Request) -> Response:
        return Response(await read_body(request, 9))

    async def refused(_: Request) -> Response:
        return Response("no", 401)

    async def at_work(_: Request) -> Response:
        work.begun += 1
        await asyncio.to_thread(work.may_end.wait, SECONDS)
        return Response("done")

    async def parts() -> AsyncIterator[bytes]:
        try:
            while not work.may_end.is_set():
                yield b"ping"
                await asyncio.sleep(0)
        finally:
            work.ended += 1

    async def stream(_: Request) -> Response:
        return StreamingResponse(parts())

    routes = [
        Route("/stream", stream),
        Route("/", taken, methods=["GET", "POST"]),
        Route("/refused", refused, methods=["POST"]),
        Route("/held", at_work),
    ]

    async def run(stop: asyncio.Event, listening: Callable[[int], None]) -> None:
        await serve(Router(routes), "127.0.0.1", 0, stop, listening=listening)

    with running(run) as number:
        yield number
        work.may_end.set()


@pytest.fixture
def connected(port: int) -> Iterator[Callable[[str, bytes], socket.socket]]:
    """Give what opens a connection from an address, and sends something."""
    with ExitStack() as open_until:

        def connect(address: str, sent: bytes) -> socket.socket:
            line = socket.create_connection(("127.0.0.1", port), SECONDS, (address, 0))
            open_until.enter_context(closing(line))
            line.sendall(sent)
            return line

        yield connect


def answer(line: socket.socket) -> bytes:
    return line.recv(65_536).partition(b"\r\n")[0]


@pytest.mark.parametrize("left", LEFT)
def test_connections_that_wait_for_their_client_make_room(
    connected: Callable[[str, bytes], socket.socket], left: str
) -> None:
    patient = connected(OTHER, b"")
    for _ in range(2 * MOST):
        line = connected(ATTACKER, LEFT[left])
        if LEFT[left] == GET:  # while it is being answered it waits for nobody
            assert answer(line) == b"HTTP/1.1 200 OK"

    assert answer(connected(OTHER, GET)) == b"HTTP/1.1 200 OK"
    patient.sendall(GET)  # of an address that has few
    assert answer(patient) == b"HTTP/1.1 200 OK"


def test_requests_at_work_are_answered_and_more_are_told_to_come_again(
    connected: Callable[[str, bytes], socket.socket], work: Work
) -> None:
    working = [connected(ATTACKER, HELD) for _ in range(MOST)]
    until(lambda: work.begun == MOST, "all are at work")

    told = connected(OTHER, b"").recv(65_536)
    work.may_end.set()

    assert told.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"retry-after: 1\r\n" in told
    assert b"too many connections" in told
    assert [answer(line) for line in working] == [b"HTTP/1.1 200 OK"] * MOST
    assert answer(connected(OTHER, GET)) == b"HTTP/1.1 200 OK"


def test_the_rest_of_a_body_that_nobody_reads_is_not_waited_for(
    connected: Callable[[str, bytes], socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.http.server.REST_SECONDS_MAX", 2.0)

    line = connected(ATTACKER, LEFT["half a body that nobody reads"])

    assert answer(line) == b"HTTP/1.1 401 Unauthorized"
    assert line.recv(65_536) == b""


@pytest.mark.parametrize("before", [b"", GET], ids=["first", "later"])
def test_no_connection_escapes_the_bounds_of_http_by_an_upgrade(
    connected: Callable[[str, bytes], socket.socket], before: bytes
) -> None:
    line = connected(ATTACKER, before)
    if before:
        assert answer(line) == b"HTTP/1.1 200 OK"

    line.sendall(UPGRADE)

    assert answer(line) == b"HTTP/1.1 200 OK"  # as if it had not asked for one


def test_a_stream_ends_with_its_connection_whatever_else_was_asked_over_it(
    connected: Callable[[str, bytes], socket.socket], work: Work
) -> None:
    line = connected(ATTACKER, STREAM + GET)
    assert answer(line) == b"HTTP/1.1 200 OK"

    line.close()

    until(lambda: work.ended == 1, "nothing is streamed to nobody")
