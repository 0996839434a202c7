"""A real receiver of webhooks on this machine: collects requests, answers as told."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.patience import SECONDS

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Received:
    """A request as it came; names of headers in small letters."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Postbox:
    """What came, oldest first, to `url`.

    `status` and `headers`: what it answers, with `body`. `hang`: it answers nothing
    before it is closed. `cut`: it takes the request and closes the line.
    `endless`: what it answers has no end.
    """

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hang: bool = False
    cut: bool = False
    endless: bool = False
    url: str = ""
    requests: list[Received] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def open_postbox() -> Iterator[Postbox]:
    """Run a receiver on a free port."""
    postbox = Postbox()

    class Handler(BaseHTTPRequestHandler):
        """Keeps a request and answers as the postbox says."""

        def do_POST(self) -> None:
            """Take it."""
            _answer(self, postbox)

        def do_GET(self) -> None:
            """Take it likewise: some only ask."""
            _answer(self, postbox)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    postbox.url = f"http://{HOST}:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield postbox
    finally:
        postbox.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(timeout=SECONDS)
        assert not thread.is_alive(), "the receiver does not close"


def _answer(handler: BaseHTTPRequestHandler, postbox: Postbox) -> None:
    length = int(handler.headers.get("content-length", "0"))
    headers = {name.lower(): value for name, value in handler.headers.items()}
    body = handler.rfile.read(length)
    postbox.requests.append(Received(handler.path, headers, body))
    if postbox.hang:
        postbox.closing.wait(SECONDS)
    if postbox.hang or postbox.cut:
        handler.close_connection = True
        return
    handler.send_response(postbox.status)
    for name, value in postbox.headers.items():
        handler.send_header(name, value)
    if not postbox.endless:
        handler.send_header("content-length", str(len(postbox.body)))
    handler.end_headers()
    with suppress(OSError):  # who asked may hang up
        handler.wfile.write(postbox.body)
        while postbox.endless and not postbox.closing.is_set():
            handler.wfile.write(b"on and on, ")
