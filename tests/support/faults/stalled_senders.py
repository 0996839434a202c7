"""Senders that begin a request and do not end it, over real connections."""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from tests.support.patience import SECONDS

CONTINUE = b"HTTP/1.1 100"


@contextmanager
def stalling(
    url: str,
    path: str,
    number: int,
    declared: int,
    sent: bytes = b"{",
    headers: Mapping[str, str] | None = None,
) -> Iterator[Sequence[socket.socket]]:
    """Hold `number` requests that declare more bytes than they send.

    Each has heard how its request begins, so the server has looked at it: `100
    Continue` says that somebody waits for the body.
    """
    at = urlsplit(url)
    more = "".join(f"{k}: {v}\r\n" for k, v in (headers or {}).items())
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {at.netloc}\r\nExpect: 100-continue\r\n"
        f"Content-Type: application/json\r\nContent-Length: {declared}\r\n{more}\r\n"
    )
    with ExitStack() as open_until:
        lines = [
            open_until.enter_context(
                socket.create_connection((at.hostname, at.port), SECONDS)
            )
            for _ in range(number)
        ]
        for line in lines:
            line.sendall(head.encode())
        for line in lines:
            if line.recv(len(CONTINUE)) == CONTINUE:
                line.sendall(sent)
        yield lines
