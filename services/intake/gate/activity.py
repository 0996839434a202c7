"""Counts what sources do, writes it every few seconds, and reads the shared quotas."""

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog

from services.intake.gate.activity_store import KIND_OF, Account, Kind, used_on, write
from services.intake.gate.admission import Admission
from services.intake.policy.store import InForce
from services.intake.signals.schemas import TIMER, Delivery, Result
from shared.clock import Clock
from shared.eventlog.log import EventLog
from shared.http.rounds import failing_alone, in_rounds

SLOT = timedelta(minutes=5)
ROWS_MAX = 10_000
"""Limit of rows in memory; what exceeds it is not counted."""
WRITE_SECONDS = 5.0
"""A killed process loses this much of the counts, but never signals."""
NATS = "nats"
"""The key id for messages over NATS, which carry no key."""
_log = structlog.get_logger(__name__)


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


class ActivityWriter:
    """Keeps the tables of source activity up to date."""

    def __init__(
        self,
        log: EventLog,
        tally: Tally,
        admission: Admission,
        in_force: InForce,
        clock: Clock,
    ) -> None:
        self._log = log
        self._tally = tally
        self._admission = admission
        self._in_force = in_force
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Write until `stop` is set, and once more then. Never raises."""
        failed = "activity.failed"
        await in_rounds(self._round, stop, WRITE_SECONDS, _log, failed)
        with failing_alone(_log, failed):
            await self._round()

    async def _round(self) -> None:
        await asyncio.to_thread(self.keep)

    def keep(self) -> None:
        """Write the counts, and read how much of each quota is used; blocks."""
        account, now = self._tally.take(), self._clock()
        counted = self._admission.with_quota(self._in_force.sources())
        if not (account.counts or account.used or counted):
            return
        try:
            with self._log.transaction() as cursor:
                write(cursor, account)
                used = used_on(cursor, now.date(), counted) if counted else {}
        except BaseException:
            self._tally.give_back(account)
            raise
        for source, number in used.items():
            self._admission.recall(source, now.date(), number)


def slot_of(at: datetime) -> datetime:
    """Return the start of the slot that contains an instant."""
    utc = at.astimezone(UTC)
    return utc - (utc - datetime.min.replace(tzinfo=UTC)) % SLOT
