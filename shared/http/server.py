"""HTTP as uvicorn speaks it, with bounds on those who send no end and read no answer.

It keeps headers in memory until their end comes, however long that takes and whoever
sends them: nobody has shown a token yet. It waits for ever for the rest of a body that
nobody reads, and with an answer that nobody takes, such as a stream of events to a
client that reads nothing. It takes any number of connections. And if one is lost, it
tells the last request that came over it, not the one that is being answered.
"""

import asyncio
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from shared.http.joined_writes import JoinedWrites
from shared.http.open_connections import OpenConnections
from shared.problem import Problem, response

HEAD_BYTES_MAX = 64 * 1024
"""What may come, after the first read, that neither ends a head nor is of a body."""
HEAD_SECONDS_MAX = 30.0
"""How long a head may take to come."""
REST_SECONDS_MAX = 30.0
"""How long the rest of a request may take after its head, whether it is read or not."""
STALLED_SECONDS_MAX = 30.0
"""How long a client may take nothing at all of an answer that waits for it."""
FULL_RETRY_SECONDS = 1
"""When a client is to come again for which there was no connection left."""


class BoundedHttp(HttpToolsProtocol):
    """One connection of those in `among`."""

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
        """Begin to wait for the first head, unless there are too many connections."""
        super().connection_made(transport)
        self.transport = JoinedWrites(transport, self.loop)
        self.address = self.client[0] if self.client else ""
        if self._among.arrived(self):
            self._await_request(HEAD_SECONDS_MAX)
        else:
            self._refuse()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer, and answer no more."""
        self._among.gone(self)
        self._request_came()
        self._goes_on()
        self.pipeline.clear()
        if self._at_work is not None:
            self._at_work.disconnected = True
            self._at_work.message_event.set()
        super().connection_lost(exc)

    def give_way(self) -> None:
        """Close: others need the place."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        """Hold the answer back, and look whether the client takes any of it."""
        super().pause_writing()
        self._among.waits(self)
        self._look_again()

    def resume_writing(self) -> None:
        """Go on with the answer."""
        self._goes_on()
        if self._whole:
            self._among.works(self)
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Parse; refuse a head, or what stands between parts of a body, without end."""
        self._moved = False
        super().data_received(data)
        self._idle_bytes = 0 if self._moved else self._idle_bytes + len(data)
        if self._idle_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self.send_400_response("The headers are too large: send fewer.")

    def on_message_begin(self) -> None:
        """Begin to wait for the head of a request."""
        super().on_message_begin()
        self._moved = True
        if self._request_until is None:
            self._await_request(HEAD_SECONDS_MAX)

    def on_headers_complete(self) -> None:
        """Take the head, and wait for the rest."""
        self._request_came()
        self._await_request(REST_SECONDS_MAX)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take part of a body; its reader bounds it."""
        self._moved = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take the end of a request: from now on it is ours to answer."""
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
        """Tell a client that there is no room for it."""
        full = Problem(
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
