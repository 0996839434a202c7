"""Serves an ASGI app inside a larger process until it has to stop."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit
from signal import SIGINT, SIGTERM

import structlog
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.server import BoundedHttp, OpenConnections

GRACE_SECONDS = 5
"""How long answers in progress may take after the request to stop."""
KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays open: longer than in clients and proxies.

Otherwise they may send a request just as it is closed here, and get no answer.
"""
BACKLOG = 2_048
CONNECTIONS_MAX = 3_000
"""The maximum number of open connections, unless the file limit is too low: half of
them for pages that listen to events, half for requests."""
FILES_A_CONNECTION = 2
"""Half of the files that a process may open are left for other purposes."""
AGAIN_SECONDS = 0.1
UNSENT_BYTES_MAX = 128 * 1024
"""How much of an answer the system takes before the client can receive it."""
GONE_SECONDS = 60.0
"""After which time a connection ends whose client confirms nothing that was sent."""

_log = structlog.get_logger(__name__)


class PortTaken(Exception):
    """The server cannot listen on the address; the sentence says what to do."""


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set; call it in the main thread."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal in (SIGTERM, SIGINT):
        loop.add_signal_handler(signal, stop.set)
    return stop


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait `seconds`, or until `stop` is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def end(task: asyncio.Task[None]) -> None:
    """Cancel a task until it has ended; raise its error.

    Cancelling once is not always enough: before Python 3.12 `asyncio.wait_for` loses a
    cancellation that arrives just as the awaited call fails.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=AGAIN_SECONDS)
    if not task.cancelled():
        task.result()


async def serve(
    app: ASGIApp,
    host: str,
    port: int,
    stop: asyncio.Event,
    *,
    listening: Callable[[int], None] = lambda _: None,
) -> None:
    """Serve `app` until `stop` is set, then let answers in progress finish.

    Port 0 chooses a free port; `listening` receives it. Raises `PortTaken`.
    """
    listener = _listen(host, port)
    taken = listener.getsockname()[1]
    server = uvicorn.Server(config_of(app))
    # uvicorn would handle the signals itself, but the process has more to stop.
    serving = asyncio.create_task(server._serve([listener]))  # noqa: SLF001 # see above
    stopping = asyncio.create_task(stop.wait())
    _log.info("http.listening", host=host, port=taken)
    listening(taken)
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        server.should_exit = True
        await serving
        listener.close()


def config_of(app: ASGIApp) -> uvicorn.Config:
    """Return the configuration of uvicorn for `app`."""
    return uvicorn.Config(
        SafeHeaders(app),
        http=partial(BoundedHttp, among=OpenConnections(_connections_max())),  # type: ignore[arg-type] # it makes one as the class does
        ws="none",  # WebSockets would escape the limits for HTTP
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `sender_of` handles proxies
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _connections_max() -> int:
    """Return how many connections may be open; raise the process's own file limit."""
    wanted = CONNECTIONS_MAX * FILES_A_CONNECTION
    files, most = getrlimit(RLIMIT_NOFILE)
    if files == RLIM_INFINITY or files >= wanted:
        return CONNECTIONS_MAX
    # 1,024 is usual, and far below what the system would allow.
    files = wanted if most == RLIM_INFINITY else min(wanted, most)
    setrlimit(RLIMIT_NOFILE, (files, most))
    return files // FILES_A_CONNECTION


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets declared as TCP: without it each answer
    # of two writes waits 40 ms for the client to acknowledge the first.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Linux: else megabytes wait in the system for each client that does not receive,
    # and one that has disappeared is noticed after a quarter of an hour.
    for name, value in (
        ("TCP_NOTSENT_LOWAT", UNSENT_BYTES_MAX),
        ("TCP_USER_TIMEOUT", int(GONE_SECONDS * 1_000)),
    ):
        if (option := getattr(socket, name, None)) is not None:
            listener.setsockopt(socket.IPPROTO_TCP, option, value)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"cannot listen on {host}:{port} ({error.strerror}): stop what listens "
            "there, or set PERMANENCE_HTTP_HOST and PERMANENCE_HTTP_PORT"
        ) from error
    listener.setblocking(False)
    return listener


_CONTENT_POLICY = b"content-security-policy"
_NOTHING = b"default-src 'none'; frame-ancestors 'none'"
_NO_GUESSING = (b"x-content-type-options", b"nosniff")


class SafeHeaders:
    """`app`, with these headers added to each answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, and add the headers."""

        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], _NO_GUESSING]
                if _CONTENT_POLICY not in [name for name, _ in headers]:
                    headers.append((_CONTENT_POLICY, _NOTHING))
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, safe)
