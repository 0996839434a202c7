"""Bodies that have to be read before it is known who sends them, in a small pool.

A key may be in the body, and a form needs none. Such bodies share little memory and
have little time. If the pool is full, the sender with the largest part is refused: a
usual request, which is small and arrives at once, gets through whatever others hold.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request

from shared.batcher import Overloaded
from shared.http.bodies import begun_body, demand_size, keep_body, next_part, slow_body

POOL_BYTES_MAX = 4 * 1024 * 1024
BEGINNING_BYTES = 64 * 1024
"""The key is looked for once so much of a body has arrived."""
KEYLESS_SECONDS_MAX = 2.0
"""How long the body of an unknown sender may take to arrive."""

IsEnough = Callable[[bytes], bool]


@dataclass(eq=False)
class _Place:
    """One body in the pool; `limit` is None once it is read."""

    limit: asyncio.Timeout | None
    bytes: int = 0
    sent_away: bool = False


class KeylessBodies:
    """The pool of one process."""

    def __init__(self, bytes_max: int = POOL_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._places: set[_Place] = set()
        self.bytes = 0

    @asynccontextmanager
    async def body(
        self,
        request: Request,
        bytes_max: int,
        *,
        seconds: float | None = None,
        enough: IsEnough | None = None,
    ) -> AsyncIterator[bytes]:
        """Give a body, which has its place in the pool until this ends.

        Only its first `BEGINNING_BYTES` or a little more if they are `enough`: then
        `read_body` reads on. Raises `Overloaded` or `Problem`.
        """
        place = _Place(None)
        self._places.add(place)
        try:
            read = begun_body(request, bytes_max)
            yield await self._read(place, request, read, bytes_max, seconds, enough)
        finally:
            self._leave(place)

    async def _read(
        self,
        place: _Place,
        request: Request,
        read: bytearray,
        bytes_max: int,
        seconds: float | None,
        enough: IsEnough | None,
    ) -> bytes:
        seconds = seconds or KEYLESS_SECONDS_MAX
        try:
            async with asyncio.timeout(seconds) as place.limit:
                while (part := await next_part(request)) is not None:
                    demand_size(len(read) + len(part), bytes_max)
                    self._take(place, len(part))
                    before = len(read)
                    read += part
                    looks = before < BEGINNING_BYTES <= len(read)
                    if enough and looks and enough(bytes(read)):
                        return keep_body(request, bytes(read), whole=False)
        except TimeoutError as error:
            if place.sent_away:
                raise _full() from error
            raise slow_body(seconds) from error
        finally:
            place.limit = None
        return keep_body(request, bytes(read))

    def _take(self, place: _Place, size: int) -> None:
        """Count what arrived; refuse the largest while it is too much."""
        if place.sent_away:
            raise _full()
        place.bytes += size
        self.bytes += size
        while self.bytes > self._bytes_max:
            largest = max(self._places, key=lambda each: each.bytes)
            if largest is place or largest.limit is None:
                raise _full()
            largest.sent_away = True
            if not largest.limit.expired():
                largest.limit.reschedule(asyncio.get_running_loop().time())
            self._leave(largest)

    def _leave(self, place: _Place) -> None:
        if place in self._places:
            self._places.remove(place)
            self.bytes -= place.bytes


def _full() -> Overloaded:
    return Overloaded("bodies of unknown senders fill their pool")
