"""What sources did since it was last written down. Safe to use from any thread."""

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
"""Sources and slots that are held; what comes from more of them is not counted."""

Kind = Literal[
    "accepted", "duplicates", "rejected", "quarantined", "refused", "unauthorised"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
KIND_OF: dict[Status, Kind] = {
    "duplicate": "duplicates",
    "rejected": "rejected",
    "quarantined": "quarantined",
}
"""How an element is counted that was not accepted."""
NATS = "nats"
"""The key of what comes over NATS, where none is shown."""


@dataclass
class Account:
    """Counts by (source, slot, kind), and the last use by (source, key)."""

    counts: Counter[tuple[str, datetime, Kind]] = field(default_factory=Counter)
    used: dict[tuple[str, str], datetime] = field(default_factory=dict)


class Tally:
    """Counts until `take` is called, and goes on with an empty account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._account = Account()

    def note(self, source: str, kind: Kind, number: int = 1) -> None:
        """Count so many of a kind, now."""
        place = (source, slot_of(self._clock()), kind)
        with self._lock:
            counts = self._account.counts
            if place in counts or len(counts) < ROWS_MAX:
                counts[place] += number

    def use(self, source: str, key_id: str) -> None:
        """Remember that a key was used, now."""
        with self._lock:
            if len(self._account.used) < ROWS_MAX:
                self._account.used[source, key_id] = self._clock()

    def signals(
        self,
        deliveries: Sequence[Delivery],
        answers: Sequence[list[Result] | Exception],
    ) -> None:
        """Count the outcome of a batch of deliveries."""
        found: Counter[tuple[str, Kind]] = Counter()
        for delivery, answer in zip(deliveries, answers, strict=True):
            if isinstance(answer, list) and delivery.adapter != TIMER:
                for result in answer:
                    found[delivery.source, KIND_OF.get(result.status, "accepted")] += 1
        for (source, kind), number in found.items():
            self.note(source, kind, number)

    def take(self) -> Account:
        """Return what was counted, and reset the counts."""
        with self._lock:
            taken, self._account = self._account, Account()
        return taken

    def give_back(self, account: Account) -> None:
        """Add what could not be written, to be written later."""
        with self._lock:
            held = self._account
            for place, number in account.counts.items():
                if place in held.counts or len(held.counts) < ROWS_MAX:
                    held.counts[place] += number
            held.used = {**account.used, **held.used}


def slot_of(at: datetime) -> datetime:
    """Return when the slot of an instant began."""
    utc = at.astimezone(UTC)
    return utc - (utc - datetime.min.replace(tzinfo=UTC)) % SLOT
