"""Retries waiting signals once the record they need can be read, and counts them.

Each key is drained in the order of its signals. Several processes may do this
concurrently: each signal is released once, by one of them, in order.
"""

import asyncio
from collections.abc import Sequence

import structlog

from services.intake.quarantine.retry import QuarantineRetry
from services.intake.quarantine.store import KEYS_MAX, first_in_order, next_of
from services.intake.records.store import KEY_ROW, replayed_records
from services.intake.signals.waiting_signals import BY_ITSELF
from shared.clock import Clock
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.rounds import in_rounds
from shared.observability.health import Check, Probe

LOOK_SECONDS = 2.0
"""How often the worker checks whether a record can be read again."""
READ_AT_ONCE = 100
"""Waiting signals of one key that are fetched together."""

_log = structlog.get_logger(__name__)


class RetryWorker:
    """Examines waiting signals in rounds, one page of keys at a time."""

    def __init__(self, retrying: QuarantineRetry) -> None:
        self._retrying = retrying
        self._after = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Retry until `stop` is set. Never raises."""
        failed = "quarantine.retry_failed"
        await in_rounds(self._round, stop, LOOK_SECONDS, _log, failed)

    async def _round(self) -> None:
        await self.round()

    async def round(self) -> int:
        """Retry the next page of keys; return how many signals were released."""
        ready = await asyncio.to_thread(self._ready)
        released = await asyncio.gather(*(self._drain(each) for each in ready))
        if any(released):
            _log.info("quarantine.released", signals=sum(released))
        return sum(released)

    def _ready(self) -> Sequence[str]:
        """Return the keys of the next page whose record can be read."""
        log = self._retrying.log
        with log.transaction() as cursor:
            page = first_in_order(cursor, self._after)
            refs = {
                each.awaits for each in page if each.awaits and _is_ref(each.awaits)
            }
            states = replayed_records(log, cursor, refs)
        self._after = page[-1].signal_key if len(page) == KEYS_MAX else ""
        unreadable = {ref for ref, each in states.items() if each.unreadable}
        return [each.signal_key for each in page if each.awaits not in unreadable]

    async def _drain(self, key: str) -> int:
        """Release the signals of a key in order, until one has to wait."""
        released = 0
        while numbers := await asyncio.to_thread(self._next, key):
            for number in numbers:
                try:
                    tried = await self._retrying.one(number, BY_ITSELF)
                except Unavailable:
                    raise
                except Exception as error:  # noqa: BLE001 # other keys must go on
                    why = type(error).__name__
                    _log.warning("quarantine.put_off", number=number, why=why)
                    return released
                if tried.state == "waiting":
                    return released
                released += tried.state == "released"
        return released

    def _next(self, key: str) -> list[int]:
        with self._retrying.log.transaction() as cursor:
            return next_of(cursor, key, READ_AT_ONCE)


def _is_ref(awaited: str) -> bool:
    return not awaited.startswith(KEY_ROW)


COUNTED_MAX = 10_000
"""Upper limit of the count: counting more would take longer each time."""

_COUNT = """
SELECT count(*), min(received_at), count(signal_key), count(DISTINCT awaits)
FROM (SELECT received_at, signal_key, awaits FROM intake.quarantine
      WHERE state = 'waiting' ORDER BY quarantine_id LIMIT %s) AS kept
"""


def quarantine_probe(log: EventLog, clock: Clock) -> Probe:
    """Return the readiness probe of the quarantine; it is always ready."""

    async def probe() -> Check:
        try:
            numbers = await asyncio.to_thread(_kept, log, clock)
        except Unavailable:  # intake's own probe reports this
            numbers = {}
        return Check("quarantine", "signals", ready=True, numbers=numbers)

    return probe


def _kept(log: EventLog, clock: Clock) -> dict[str, float]:
    with log.transaction() as cursor:
        row = cursor.execute(_COUNT, (COUNTED_MAX,)).fetchone()
    kept, oldest, postponed, unreadable = row or (0, None, 0, 0)
    age = max(0.0, (clock() - oldest).total_seconds()) if oldest else 0.0
    return {
        "kept": float(kept),
        "oldest_seconds": age,
        "postponed": float(postponed),
        "unreadable_records": float(unreadable),
    }
