"""A service of a few lines: comes to the database and answers that it is ready."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import psycopg

NAME = sys.argv[1]


class Ready(BaseHTTPRequestHandler):
    """Answers every path alike; `/say/N` writes N bytes to the log first."""

    def do_GET(self) -> None:
        """Say who answers, and as whom it came to the database."""
        if self.path.startswith("/say/"):
            for _ in range(int(self.path.removeprefix("/say/")) // 100):
                print("x" * 99)  # noqa: T201 - this is its log
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f'{{"service": "{NAME}", "role": "{role}"}}'.encode())

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


if os.environ.get("SMALL_DESK_HANGS") == NAME:
    signal.pause()
if os.environ.get("SMALL_DESK_BREAKS") == NAME:
    sys.exit(f"{NAME} is broken")
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    (role,) = connection.execute("SELECT current_user").fetchone() or ("",)
assert os.environ["NATS_URL"].startswith("nats://")
address = os.environ["PERMANENCE_HTTP_HOST"], int(os.environ["PERMANENCE_HTTP_PORT"])
server = HTTPServer(address, Ready)
print("serving", flush=True)  # noqa: T201 - this is its log
server.serve_forever()
