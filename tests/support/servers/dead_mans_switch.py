"""A dead man's switch: a real HTTP server that notes who told it that all is well."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class WatcherOutside:
    """Where it listens, what it answers, and whom it heard: method and path."""

    url: str
    answers: int = 200
    heard: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def watcher_outside() -> Iterator[WatcherOutside]:
    """Let one listen meanwhile."""
    watcher = WatcherOutside("")

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            watcher.heard.append((self.command, self.path))
            self.send_response(watcher.answers)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    watcher.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield watcher
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
