"""A real receiver of webhooks on this machine: collects requests, answers as told."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time

from tests.support.patience import SECONDS

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Received:
    """A request as it came; names of headers in small letters."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    at: float = field(default_factory=time)
    """When it came, in seconds since 1970."""


@dataclass(frozen=True)
class Reply:
    """What is answered at one path."""

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Postbox:
    """What came, oldest first, to `url`.

    `first`: what it answers one after another, before anything else. `replies`: what
    it answers at a path, else as `status`, `headers` and `body` say.

    `status` and `headers`: what it answers, with `body`. `hang`: it answers nothing
    before it is closed. `cut`: it takes the request and closes the line.
    `endless`: what it answers has no end. `drip`: seconds between the pieces of that.
    """

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hang: bool = False
    cut: bool = False
    endless: bool = False
    drip: float = 0.0
    url: str = ""
    """Where it takes webhooks; it listens at every other path as well."""
    first: list[Reply] = field(default_factory=list)
    replies: dict[str, Reply] = field(default_factory=dict)
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    """How many connections came, each for one request or several."""
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def origin(self) -> str:
        """Its address without a path, as of the server of a provider."""
        return self.url.removesuffix("/hook")


class _Server(ThreadingHTTPServer):
    """Lets more connections wait than come at once: the kernel drops those above."""

    request_queue_size = 128


@contextmanager
def open_postbox() -> Iterator[Postbox]:
    """Run a receiver on a free port."""
    postbox = Postbox()
    lines: set[socket.socket] = set()

    class Handler(BaseHTTPRequestHandler):
        """Keeps a request and answers as the postbox says."""

        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            """Count the connection."""
            super().setup()
            postbox.connections += 1
            lines.add(self.connection)

        def finish(self) -> None:
            """Forget the connection."""
            lines.discard(self.connection)
            super().finish()

        def do_POST(self) -> None:
            """Take it."""
            _answer(self, postbox)

        def do_GET(self) -> None:
            """Take it likewise: some only ask."""
            _answer(self, postbox)

        def do_PUT(self) -> None:
            """Take it likewise."""
            _answer(self, postbox)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = _Server((HOST, 0), Handler)
    postbox.url = f"http://{HOST}:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield postbox
    finally:
        postbox.closing.set()
        server.shutdown()
        server.server_close()
        for line in list(lines):  # those that are kept open, too
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=SECONDS)
        assert not thread.is_alive(), "the receiver does not close"


def _answer(handler: BaseHTTPRequestHandler, postbox: Postbox) -> None:
    length = int(handler.headers.get("content-length", "0"))
    headers = {name.lower(): value for name, value in handler.headers.items()}
    body = handler.rfile.read(length)
    postbox.requests.append(Received(handler.path, headers, body, handler.command))
    if postbox.hang:
        postbox.closing.wait(SECONDS)
    if postbox.hang or postbox.cut:
        handler.close_connection = True
        return
    reply = postbox.replies.get(handler.path)
    if postbox.first:
        reply = postbox.first.pop(0)
    if reply is None:
        reply = Reply(postbox.body, postbox.status, postbox.headers)
    handler.send_response(reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    handler.close_connection |= postbox.endless
    if not postbox.endless:
        handler.send_header("content-length", str(len(reply.body)))
    handler.end_headers()
    with suppress(OSError):  # who asked may hang up
        handler.wfile.write(reply.body)
        while postbox.endless and not postbox.closing.is_set():
            handler.wfile.write(b"on and on, ")
            postbox.closing.wait(postbox.drip)
