"""The status of a reader, which it writes for health checks and metrics."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from shared.eventlog.readers.position import BEGINNING, Tracked

State = Literal[
    "starting", "catching up", "live", "polling", "standby", "away", "stopped"
]


@dataclass(slots=True)
class ReaderStatus:
    """The state of the reader `name`; `why` is the reason if it stopped."""

    name: str
    monotonic: Callable[[], float] = time.monotonic
    state: State = "starting"
    why: str = ""
    tracked: Tracked = BEGINNING
    applied_total: int = 0
    """The number of events that this process has applied."""
    _moved_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._moved_at = self.monotonic()

    def reached(self, tracked: Tracked) -> None:
        """Record the position; a change is progress, whichever process made it."""
        if tracked.position != self.tracked.position:
            self._moved_at = self.monotonic()
        self.tracked = tracked

    def resting_seconds(self) -> float:
        """Return how long the position has not changed."""
        return self.monotonic() - self._moved_at

    def goes_on(self, state: State) -> None:
        """Record that the reader runs again, regardless of earlier stops."""
        self.state, self.why = state, ""
