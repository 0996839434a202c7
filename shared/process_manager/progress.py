"""Tells a service that has much to catch up with from one that never ends. Pure."""

from collections.abc import Callable
from datetime import datetime

DECISIONS_MAX = 70
"""After so many decisions it is looked whether the instant at which the next is due
advances; twice as many more without advance are treated as a bug."""


class Progress:
    """Counts decisions as long as the instant of the next one does not advance.

    A service that was down decides about days at once. Some decisions are due at the
    instant of the newest event, so the latest instant so far counts.
    """

    def __init__(self, next_at: Callable[[], datetime | None]) -> None:
        self._next_at = next_at
        self._latest: datetime | None = None
        self._count = 0

    def goes_on(self) -> bool:
        """Count a decision; return False if too many were made without advance."""
        self._count += 1
        if self._count <= DECISIONS_MAX:
            return True  # to look for the next instant costs as much as to decide
        due = self._next_at()
        if due is None:
            return True
        if self._latest is None or due > self._latest:
            self._latest, self._count = due, 0
        return self._count <= 2 * DECISIONS_MAX
