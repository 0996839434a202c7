"""How many bytes of bodies are in memory at once, whoever sends them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from services.intake.reading import BODY_BYTES_MAX
from shared.batcher import Overloaded

IN_HAND_BYTES_MAX = 64 * 1024 * 1024
"""Room for 128 of the largest bodies, or 60,000 of the usual size."""


class InHand:
    """Room for what is being read and recorded; a request without a body takes none."""

    def __init__(self, bytes_max: int = IN_HAND_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self.bytes = 0

    @contextmanager
    def room_for(self, size: int) -> Iterator[None]:
        """Keep room while the body is in hand; `Overloaded` where there is none."""
        if self.bytes + size > self._bytes_max:
            raise Overloaded(f"{self.bytes} bytes are in hand")
        self.bytes += size
        try:
            yield
        finally:
            self.bytes -= size


def size_ahead(headers: Mapping[str, str], bytes_max: int = BODY_BYTES_MAX) -> int:
    """Return how much room the body of a request may need."""
    declared = headers.get("content-length", "")
    if declared.isascii() and declared.isdigit():
        return min(int(declared[:19]), bytes_max)
    return bytes_max if "transfer-encoding" in headers else 0
