"""HTTP as uvicorn speaks it, with bounds on those who send no end and read no answer.

It keeps headers in memory until their end comes, however long that takes and whoever
sends them: nobody has shown a token yet. And it waits for ever with an answer that
nobody takes, such as a stream of events to a client that stands still.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 64 * 1024
"""What may come, after the first read, that neither ends a head nor is of a body."""
HEAD_SECONDS_MAX = 30.0
"""How long a head may take to come."""
STALLED_SECONDS_MAX = 30.0
"""How long a client may take nothing at all of an answer that waits for it."""


class BoundedHttp(HttpToolsProtocol):
    """One connection."""

    _idle_bytes = 0
    _moved = False
    _head_until: asyncio.TimerHandle | None = None
    _stalled_until: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._head_came()
        self._goes_on()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Hold the answer back, and look whether the client takes any of it."""
        super().pause_writing()
        self._look_again()

    def resume_writing(self) -> None:
        """Go on with the answer."""
        self._goes_on()
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
        if self._head_until is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """Take the head."""
        self._head_came()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take part of a body; its reader bounds it."""
        self._moved = True
        super().on_body(body)

    def _await_head(self) -> None:
        self._head_until = self.loop.call_later(HEAD_SECONDS_MAX, self.transport.close)

    def _head_came(self) -> None:
        if self._head_until is not None:
            self._head_until.cancel()
            self._head_until = None

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
