"""How much memory the bodies of admitted requests may take, in all and for each sender.

Room is kept for what a request declares, once it is known whose it is: nobody without a
key can take any of it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from shared.batcher import Overloaded

ROOM_BYTES_MAX = 64 * 1024 * 1024
"""Room for 128 of the largest bodies of signals, or 60,000 of the usual size."""
SHARES = 2
"""One holder may have this part of the room: half of it. The others have the rest."""


class BodyRoom:
    """Room for bodies being read and recorded; a request without a body takes none."""

    def __init__(self, bytes_max: int = ROOM_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._held: Counter[str] = Counter()
        self.bytes = 0

    @contextmanager
    def room_for(self, size: int, holder: str) -> Iterator[None]:
        """Keep room while the body is in hand; `Overloaded` if it is full."""
        self.take(size, holder)
        try:
            yield
        finally:
            self.give_back(size, holder)

    def take(self, size: int, holder: str) -> None:
        """Keep room until it is given back; `Overloaded` if it is full."""
        if self.bytes + size > self._bytes_max:
            raise Overloaded(f"{self.bytes} bytes are in hand")
        if self._held[holder] + size > self._bytes_max // SHARES:
            raise Overloaded(f"{self._held[holder]} bytes of {holder} are in hand")
        self.bytes += size
        self._held[holder] += size

    def give_back(self, size: int, holder: str) -> None:
        """Give room back that was taken."""
        self.bytes -= size
        self._held[holder] -= size
        if not self._held[holder]:
            del self._held[holder]


def size_ahead(headers: Mapping[str, str], bytes_max: int) -> int:
    """Return how much room the body of a request may need."""
    declared = headers.get("content-length", "")
    if declared.isascii() and declared.isdigit():
        return min(int(declared[:19]), bytes_max)
    return bytes_max if "transfer-encoding" in headers else 0
