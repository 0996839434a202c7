"""Something that somebody is to do until a day: after a survey, or after a review."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Action:
    """An action, which ends when it is done, or dropped for a reason."""

    number: int
    owner: str
    due_at: datetime
    task: str
    opened_at: datetime
    done_at: datetime | None = None
    dropped_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.done_at is None and self.dropped_at is None

    def is_overdue(self, now: datetime) -> bool:
        """Return whether it should be done by now and is not."""
        return self.is_open and self.due_at <= now
