"""Whoever knocks without a token holds neither our memory nor our time."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from shared.http.bodies import read_body
from shared.http.error_responses import answered
from shared.http.serve import config_of, serve
from shared.http.server import HEAD_BYTES_MAX
from tests.support.servers.in_thread import running

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
PART = b"a" * 16_384
LARGE = b"b" * 512_000
PARTS = 4_096
"""64 MB: a busy server refuses late, and what is on its way then was not taken."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Serve something that tells how long the bodies are that it gets."""

    async def length(request: Request) -> Response:
        return Response(str(len(await read_body(request, len(LARGE)))))

    async def impatient(request: Request) -> Response:
        return Response(str(len(await read_body(request, len(LARGE), seconds=0.05))))

    app = Router(
        [
            Route("/", answered(length), methods=["POST"]),
            Route("/impatient", answered(impatient), methods=["POST"]),
        ]
    )

    async def run(stop: asyncio.Event, listening: Callable[[int], None]) -> None:
        await serve(app, "127.0.0.1", 0, stop, listening=listening)

    with running(run) as taken:
        yield taken


@pytest.fixture
def line(port: int) -> Iterator[socket.socket]:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as made:
        yield made


def sent_until_refused(line: socket.socket, part: bytes) -> bool:
    """Send far more parts than sockets hold; tell whether the server ended it."""
    try:
        for _ in range(PARTS):
            line.sendall(part)
    except OSError:
        return True
    return False


def answers(line: socket.socket) -> bytes:
    """Return all that comes until the server closes."""
    parts = []
    while part := line.recv(65_536):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("part", [PART, b"X-Name: " + PART + b"\r\n"])
def test_headers_without_end_are_refused(line: socket.socket, part: bytes) -> None:
    line.sendall(HEAD + b"X-First: ")

    assert sent_until_refused(line, part)


def test_an_empty_body_without_end_is_refused(line: socket.socket) -> None:
    line.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;")

    assert sent_until_refused(line, PART)


def test_large_bodies_one_behind_the_other_are_taken(line: socket.socket) -> None:
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(LARGE) + LARGE
    last = HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n"

    line.sendall(request * 3 + last)

    assert answers(line).count(b"\r\n\r\n512000") == 3


def test_large_headers_are_taken(line: socket.socket) -> None:
    large = b"X-Large: " + b"a" * (HEAD_BYTES_MAX - 100)

    line.sendall(HEAD + large + b"\r\nConnection: close\r\n\r\n")

    assert answers(line).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("begun", [b"", b"POST / HT", HEAD + b"X-A: b\r\n"])
def test_a_request_that_does_not_come_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr("shared.http.server.HEAD_SECONDS_MAX", 0.05)
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as line:
        line.sendall(begun)

        assert answers(line) == b""


def test_a_body_that_does_not_come_is_not_waited_for(line: socket.socket) -> None:
    head = HEAD.replace(b" / ", b" /impatient ")
    line.sendall(head + b"Connection: close\r\nContent-Length: 9\r\n\r\n{")

    answer = answers(line)

    assert answer.startswith(b"HTTP/1.1 503")
    assert b"slow_body" in answer


def test_an_idle_connection_is_closed_later_than_a_proxy_gives_it_up() -> None:
    of_nginx_and_of_load_balancers = 60
    assert config_of(Router()).timeout_keep_alive > of_nginx_and_of_load_balancers


def test_a_compressed_body_is_refused_before_it_is_read(line: socket.socket) -> None:
    line.sendall(
        HEAD
        + b"Connection: close\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n"
    )

    answer = answers(line)

    assert answer.startswith(b"HTTP/1.1 415")
    assert b"without `Content-Encoding`" in answer
