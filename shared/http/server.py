"""uvicorn's HTTP protocol with limits on slow clients, connections and small writes.

`JoinedWrites` sends the head and the body of an answer together. uvicorn writes them
separately and uvloop sends each: two system calls, and two segments that wake the
client twice.

`OpenConnections` limits the number of connections. A connection works while a complete
request is being answered, and waits while its client has to send the rest of a request
or receive more of an answer. If there are too many, a waiting one is closed: the oldest
one of the address with most of them. So a client cannot block others by opening idle
connections.

`BoundedHttp` adds what uvicorn lacks. uvicorn keeps incomplete headers in memory
without a time limit, even from unauthenticated clients. It waits forever for the rest
of a body that nobody reads, and for a client that does not receive its answer, such as
a stream of events. It accepts any number of connections. And if a connection is lost,
it notifies the last request on it, not the one that is being answered.
"""

import asyncio
import time
from typing import Any, Protocol

import structlog
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from shared.http.problem_details import HttpError, response

HELD_BYTES_MAX = 64 * 1024
"""More data is sent at once, so that the writer notices a slow client."""


class JoinedWrites(asyncio.Transport):
    """`transport`, with all writes of one iteration of the event loop joined."""

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._held_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hold data until the next iteration of the event loop."""
        if not self._held:
            self._loop.call_soon(self._send)
        self._held.append(bytes(data))
        self._held_bytes += len(data)
        if self._held_bytes > HELD_BYTES_MAX:
            self._send()

    def close(self) -> None:
        """Send the held data, then close."""
        self._send()
        self._transport.close()

    def abort(self) -> None:
        """Close at once and drop unsent data."""
        self._held.clear()
        self._held_bytes = 0
        self._transport.abort()

    def is_closing(self) -> bool:
        """Return whether it is closed or closing."""
        return self._transport.is_closing()

    def get_write_buffer_size(self) -> int:
        """Return the number of unsent bytes."""
        return self._held_bytes + self._transport.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 # as asyncio has it
        """Return information about the connection."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Stop receiving from the client."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Receive again from the client."""
        self._transport.resume_reading()

    def _send(self) -> None:
        held, self._held, self._held_bytes = self._held, [], 0
        if held and not self._transport.is_closing():  # else it has disconnected
            self._transport.writelines(held)


TOLD_SECONDS = 60.0
"""The interval at which too many connections are logged."""

_log = structlog.get_logger(__name__)


class Connection(Protocol):
    """A connection that can be closed to make room."""

    @property
    def address(self) -> str:
        """The address of its client."""

    def give_way(self) -> None:
        """Close it to make room for others."""


class OpenConnections:
    """The connections of one server."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[str, dict[Connection, None]] = {}
        self._working: set[Connection] = set()
        self._number = 0
        self._told_at = float("-inf")

    def arrived(self, connection: Connection) -> bool:
        """Add a waiting connection; return False if the server is full."""
        if self._number >= self._most:
            self._tell()
            largest = max(self._waiting.values(), key=len, default=None)
            if largest is None:
                return False
            oldest = next(iter(largest))
            self.gone(oldest)
            oldest.give_way()
        self._number += 1
        self._waiting.setdefault(connection.address, {})[connection] = None
        return True

    def works(self, connection: Connection) -> None:
        """Record that a request on it is being answered."""
        if self._forgotten_as_waiting(connection):
            self._working.add(connection)

    def waits(self, connection: Connection) -> None:
        """Record that it waits for its client."""
        if connection in self._working:
            self._working.remove(connection)
            self._waiting.setdefault(connection.address, {})[connection] = None

    def gone(self, connection: Connection) -> None:
        """Record that it is closed."""
        if connection in self._working:
            self._working.remove(connection)
        elif not self._forgotten_as_waiting(connection):
            return
        self._number -= 1

    def _forgotten_as_waiting(self, connection: Connection) -> bool:
        same = self._waiting.get(connection.address)
        if same is None or connection not in same:
            return False
        del same[connection]
        if not same:
            del self._waiting[connection.address]
        return True

    def _tell(self) -> None:
        if time.monotonic() - self._told_at > TOLD_SECONDS:
            self._told_at = time.monotonic()
            waiting = sum(map(len, self._waiting.values()))
            _log.warning("http.full", connections=self._number, waiting=waiting)


HEAD_BYTES_MAX = 64 * 1024
"""The limit, after the first read, of data that is neither head end nor body."""
HEAD_SECONDS_MAX = 30.0
"""The timeout for receiving a head."""
REST_SECONDS_MAX = 30.0
"""The timeout for the rest of a request after its head, whether read or not."""
STALLED_SECONDS_MAX = 30.0
"""How long a client may receive nothing of an answer that waits for it."""
FULL_RETRY_SECONDS = 1
"""`Retry-After` for a client refused for lack of connections."""


class BoundedHttp(HttpToolsProtocol):
    """One of the connections in `among`."""

    address = ""
    _idle_bytes = 0
    _moved = False
    _whole = False
    _at_work: RequestResponseCycle | None = None
    _request_until: asyncio.TimerHandle | None = None
    _stalled_until: asyncio.TimerHandle | None = None

    def __init__(  # as uvicorn calls it
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        among: OpenConnections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._among = among

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Start the timeout of the first head, or refuse one connection too many."""
        super().connection_made(transport)
        self.transport = JoinedWrites(transport, self.loop)
        self.address = self.client[0] if self.client else ""
        if self._among.arrived(self):
            self._await_request(HEAD_SECONDS_MAX)
        else:
            self._refuse()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timeouts and answers."""
        self._among.gone(self)
        self._request_came()
        self._goes_on()
        self.pipeline.clear()
        if self._at_work is not None:
            self._at_work.disconnected = True
            self._at_work.message_event.set()
        super().connection_lost(exc)

    def give_way(self) -> None:
        """Close it to make room for others."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        """Pause the answer, and check whether the client receives any of it."""
        super().pause_writing()
        self._among.waits(self)
        self._look_again()

    def resume_writing(self) -> None:
        """Resume the answer."""
        self._goes_on()
        if self._whole:
            self._among.works(self)
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Parse data; refuse an endless head, or endless data between body parts."""
        self._moved = False
        super().data_received(data)
        self._idle_bytes = 0 if self._moved else self._idle_bytes + len(data)
        if self._idle_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self.send_400_response("The headers are too large: send fewer.")

    def on_message_begin(self) -> None:
        """Start the timeout of the head of a request."""
        super().on_message_begin()
        self._moved = True
        if self._request_until is None:
            self._await_request(HEAD_SECONDS_MAX)

    def on_headers_complete(self) -> None:
        """Process the head, and start the timeout for the rest."""
        self._request_came()
        self._await_request(REST_SECONDS_MAX)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Process a part of a body; its reader limits the size."""
        self._moved = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Process the end of a request: now the server has to answer."""
        self._request_came()
        super().on_message_complete()
        if not self.cycle.response_complete:
            self._whole = True
            self._among.works(self)

    def on_response_complete(self) -> None:
        """Wait for the client again."""
        following = self.pipeline[-1][0] if self.pipeline else None
        self._whole = following is not None and not following.more_body
        if not self._whole:
            self._among.waits(self)
        super().on_response_complete()

    def _start_asgi_task(
        self, cycle: RequestResponseCycle, app: ASGI3Application
    ) -> None:
        self._at_work = cycle
        super()._start_asgi_task(cycle, app)

    def _refuse(self) -> None:
        """Refuse a client for lack of connections."""
        full = HttpError(
            503,
            "too many connections are open: come again in a moment",
            code="overloaded",
            retry_after=FULL_RETRY_SECONDS,
        )
        answer = response(full.details)
        head = "".join(f"{k}: {v}\r\n" for k, v in answer.headers.items())
        line = "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n"
        self.transport.write(f"{line}{head}\r\n".encode() + bytes(answer.body))
        self.transport.close()

    def _await_request(self, seconds: float) -> None:
        self._request_until = self.loop.call_later(seconds, self.transport.close)

    def _request_came(self) -> None:
        if self._request_until is not None:
            self._request_until.cancel()
            self._request_until = None

    def _look_again(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self._stalled_until = self.loop.call_later(
            STALLED_SECONDS_MAX, self._end_if_stalled, waiting
        )

    def _end_if_stalled(self, before: int) -> None:
        if self.transport.get_write_buffer_size() >= before:
            self.transport.abort()
        else:
            self._look_again()

    def _goes_on(self) -> None:
        if self._stalled_until is not None:
            self._stalled_until.cancel()
            self._stalled_until = None
