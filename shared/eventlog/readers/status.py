"""How a reader is doing, for health checks and metrics: written by it, read by them."""

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
    """State of the reader `name`; `why` says what it stopped for."""

    name: str
    monotonic: Callable[[], float] = time.monotonic
    state: State = "starting"
    why: str = ""
    tracked: Tracked = BEGINNING
    applied_total: int = 0
    """Events this process has applied."""
    _moved_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._moved_at = self.monotonic()

    def reached(self, tracked: Tracked) -> None:
        """Note the position; one that moved is progress, whoever moved it."""
        if tracked.position != self.tracked.position:
            self._moved_at = self.monotonic()
        self.tracked = tracked

    def resting_seconds(self) -> float:
        """Return for how long the position has not moved."""
        return self.monotonic() - self._moved_at

    def goes_on(self, state: State) -> None:
        """Note that the reader is at work, whatever it stopped for before."""
        self.state, self.why = state, ""
