"""Counts the activity of sources since it was last written. Thread-safe."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

from services.intake.signals.delivery import TIMER, Delivery, Result, Status
from shared.clock import Clock

SLOT = timedelta(minutes=5)
ROWS_MAX = 10_000
"""Limit of rows in memory; what exceeds it is not counted."""

Kind = Literal[
    "accepted", "duplicates", "rejected", "quarantined", "refused", "unauthorised"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
KIND_OF: dict[Status, Kind] = {
    "duplicate": "duplicates",
    "rejected": "rejected",
    "quarantined": "quarantined",
}
"""The kind for results other than accepted."""
NATS = "nats"
"""The key id for messages over NATS, which carry no key."""


@dataclass
class Account:
    """Counts by (source, slot, kind), and the last use by (source, key)."""

    counts: Counter[tuple[str, datetime, Kind]] = field(default_factory=Counter)
    used: dict[tuple[str, str], datetime] = field(default_factory=dict)


class Tally:
    """Counts until `take` is called, then starts again from zero."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._account = Account()

    def note(self, source: str, kind: Kind, number: int = 1) -> None:
        """Add `number` to the current count of a kind."""
        place = (source, slot_of(self._clock()), kind)
        with self._lock:
            counts = self._account.counts
            if place in counts or len(counts) < ROWS_MAX:
                counts[place] += number

    def use(self, source: str, key_id: str) -> None:
        """Record that a key was used now."""
        with self._lock:
            if len(self._account.used) < ROWS_MAX:
                self._account.used[source, key_id] = self._clock()

    def signals(
        self,
        deliveries: Sequence[Delivery],
        answers: Sequence[list[Result] | Exception],
    ) -> None:
        """Count the results of a batch of deliveries."""
        found: Counter[tuple[str, Kind]] = Counter()
        for delivery, answer in zip(deliveries, answers, strict=True):
            if isinstance(answer, list) and delivery.adapter != TIMER:
                for result in answer:
                    found[delivery.source, KIND_OF.get(result.status, "accepted")] += 1
        for (source, kind), number in found.items():
            self.note(source, kind, number)

    def take(self) -> Account:
        """Return the counts, and reset them."""
        with self._lock:
            taken, self._account = self._account, Account()
        return taken

    def give_back(self, account: Account) -> None:
        """Add counts that could not be written, to be written later."""
        with self._lock:
            held = self._account
            for place, number in account.counts.items():
                if place in held.counts or len(held.counts) < ROWS_MAX:
                    held.counts[place] += number
            held.used = {**account.used, **held.used}


def slot_of(at: datetime) -> datetime:
    """Return the start of the slot that contains an instant."""
    utc = at.astimezone(UTC)
    return utc - (utc - datetime.min.replace(tzinfo=UTC)) % SLOT
