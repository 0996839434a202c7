"""How long a message in the queue of signals has to wait for its source's rate.

Nobody is refused there: what is above a rate is delivered again later. But a message
that waits takes one of the places that all sources share, so only some may wait: beyond
that a rate is not kept, rather than that one source holds up all others.
"""

import heapq
import time
from collections.abc import Callable

from services.intake.gate.admission import Admission
from shared.messaging.streams import SIGNALS_PENDING_MAX

WAIT_SECONDS_MAX = 30.0


class Pace:
    """Says how long to wait, for one process of so many."""

    def __init__(
        self,
        admission: Admission,
        waiting_max: int = SIGNALS_PENDING_MAX // 2,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._admission = admission
        self._waiting_max = waiting_max
        self._elapsed = elapsed
        self._until: list[float] = []

    def wait(self, source: str) -> float:
        """Return in how many seconds a message may come again; 0: now is its turn."""
        now = self._elapsed()
        while self._until and self._until[0] <= now:
            heapq.heappop(self._until)
        asked = self._admission.ask(source)
        if asked is None or not asked.wait:
            return 0.0
        if len(self._until) >= self._waiting_max:
            return 0.0
        seconds = min(float(asked.wait), WAIT_SECONDS_MAX)
        heapq.heappush(self._until, now + seconds)
        return seconds
