"""Remembers which events a process could not read, for its health checks and metrics.

One such event stops nothing else, so without this nobody would notice.
"""

from dataclasses import dataclass, field

KEPT_MAX = 1_000
"""The maximum number of events that are remembered."""


@dataclass(frozen=True, slots=True)
class UnreadableEvent:
    """An event that cannot be read or cannot have happened: where it is, and why.

    `why` has none of its words. `later`: how many later events of its stream are left
    out with it, because they may build on it. None are after one that is `skipped`: the
    service that decides in its stream leaves it out, too.
    """

    position: int
    stream: str
    type: str
    why: str
    later: int = 0
    skipped: bool = False

    @property
    def text(self) -> str:
        """The same in words."""
        where = f"position {self.position} ({self.type}) of {self.stream}"
        also = f", with {self.later} later ones of it" if self.later else ""
        return f"{where}{also}: {self.why}"


@dataclass
class UnreadableEvents:
    """The events that could not be read when they were last needed, by position."""

    reasons: dict[int, str] = field(default_factory=dict)

    def failed(self, position: int, why: str) -> None:
        """Remember an event that could not be read; `why` has no personal words."""
        if position in self.reasons or len(self.reasons) < KEPT_MAX:
            self.reasons[position] = why

    def succeeded(self, position: int) -> None:
        """Forget an event that can be read again."""
        if self.reasons:
            self.reasons.pop(position, None)
