"""The status of a reader, which it writes for health checks and metrics."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from shared.eventlog.readers.position import BEGINNING, Tracked

State = Literal[
    "starting",
    "building",
    "catching up",
    "live",
    "polling",
    "standby",
    "away",
    "stopped",
]


class BuildProgress(NamedTuple):
    """How far a reader's tables are built: the stage, how much is done, of how much."""

    step: int
    """The number of the stage."""
    stage: str
    done: int
    of: int


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
    build: BuildProgress | None = None
    """Set while the tables of this reader are built, before it can run."""
    _moved_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._moved_at = self.monotonic()

    def reached(self, tracked: Tracked) -> None:
        """Record the position; a change is progress, whichever process made it."""
        if tracked.position != self.tracked.position:
            self._moved_at = self.monotonic()
        self.tracked = tracked

    def builds(self, build: BuildProgress) -> None:
        """Record the progress of a build of its tables."""
        self.state, self.why, self.build = "building", "", build

    def resting_seconds(self) -> float:
        """Return how long the position has not changed."""
        return self.monotonic() - self._moved_at

    def goes_on(self, state: State) -> None:
        """Record that the reader runs again, regardless of earlier stops."""
        self.state, self.why, self.build = state, "", None
