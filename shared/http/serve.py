"""Serves an ASGI app inside a process that does more, until it is told to stop."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit
from signal import SIGINT, SIGTERM

import structlog
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.server import BoundedHttp, OpenConnections

GRACE_SECONDS = 5
"""How long an answer under way may take once we are told to stop."""
KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays open: longer than callers and proxies keep one.

Otherwise they send on it just as it is closed here, and hear nothing.
"""
BACKLOG = 2_048
CONNECTIONS_MAX = 1_000
"""How many connections are open at once, unless the process may open too few files."""
FILES_A_CONNECTION = 2
"""Half of the files that a process may have open are left to all else."""
AGAIN_SECONDS = 0.1

_log = structlog.get_logger(__name__)


class PortTaken(Exception):
    """The address cannot be listened on; the sentence says what to do."""


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
    """Cancel a task until it has ended; raise what it failed with.

    Once is not always enough: before Python 3.12 `asyncio.wait_for` forgets a
    cancellation that comes just as what it waits for fails.
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
    """Serve `app` until `stop` is set, then let answers under way end.

    Port 0 takes a free one; `listening` is told which. Raises `PortTaken`.
    """
    listener = _listen(host, port)
    taken = listener.getsockname()[1]
    server = uvicorn.Server(config_of(app))
    # uvicorn would take the signals for itself; the process has more to stop than it.
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
    """Return how uvicorn is to serve `app`."""
    return uvicorn.Config(
        SafeHeaders(app),
        http=partial(BoundedHttp, among=OpenConnections(_connections_max())),  # type: ignore[arg-type] # it makes one as the class does
        ws="none",  # else such a connection would leave the bounds of HTTP
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here depends on where a caller sits
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _connections_max() -> int:
    files, _ = getrlimit(RLIMIT_NOFILE)
    if files == RLIM_INFINITY:
        return CONNECTIONS_MAX
    return min(CONNECTIONS_MAX, files // FILES_A_CONNECTION)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends without delay only what is TCP by name: without it each answer of
    # two writes waits 40 ms for the caller to acknowledge the first.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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
    """`app`, with these headers on each of its answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the headers."""

        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], _NO_GUESSING]
                if _CONTENT_POLICY not in [name for name, _ in headers]:
                    headers.append((_CONTENT_POLICY, _NOTHING))
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, safe)
