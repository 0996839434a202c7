"""The one transaction of intake: raw bodies, key rows and events, all or nothing.

Signals are taken in the order they came; each sees what the ones before it did. Locks
are taken in one order by everybody: key rows, bodies, event ids, and last the log.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Cursor

from services.intake.correlation import KeyRow
from services.intake.delivery import Delivery, Result, halves
from services.intake.faults import FAULTS
from services.intake.numbers import new_refs
from services.intake.outcomes import known_events, remember_events
from services.intake.policies import Policies
from services.intake.quarantine.settling import settle, still_waiting
from services.intake.raw_store import keep_bodies, quarantine
from services.intake.reckoning import Before, Reckoning, reckon
from services.intake.record_cache import UNOPENED, RecordCache, Versioned
from services.intake.signal_keys import lock_keys, write_keys
from services.intake.signals import Signal, signal_key
from shared.append import Recorded, TooLarge
from shared.clock import Clock
from shared.event_log import EventLog
from shared.incident import AT_WORK
from shared.problem import Problem

ATTEMPTS_MAX = 20
"""How often a batch is taken anew when commands came between, before a 503."""


class _Again(Exception):
    """A command came between: undo the transaction and take the batch anew."""


class Receiver:
    """Takes batches of deliveries; blocks, so an executor calls it."""

    def __init__(
        self, log: EventLog, cache: RecordCache, policies: Policies, clock: Clock
    ) -> None:
        self._log = log
        self._cache = cache
        self._policies = policies
        self._clock = clock

    def flush(
        self, deliveries: Sequence[Delivery]
    ) -> Sequence[list[Result] | Exception]:
        """Return the results of each delivery, in order. All are committed then."""
        for source in {delivery.source for delivery in deliveries}:
            self._log.vault.prepare(f"source:{source}")
        return self._flush(deliveries)

    def _flush(
        self, deliveries: Sequence[Delivery]
    ) -> Sequence[list[Result] | Exception]:
        """Take them in one transaction, or in halves where one cannot hold them.

        What many signals come to together is no fault of any of their senders, and a
        mistake of ours over one of them must not fail the others for ever.
        """
        for _ in range(ATTEMPTS_MAX):
            try:
                return self._receive(deliveries)
            except _Again:
                continue
            except (TooLarge, *FAULTS) as error:
                half = len(deliveries) // 2
                if half:
                    head, tail = deliveries[:half], deliveries[half:]
                    return [*self._flush(head), *self._flush(tail)]
                if not isinstance(error, TooLarge):
                    return [error]
                (delivery,) = deliveries
                return [self._piecemeal(delivery)]
        raise Problem(
            503,
            "the incidents of these signals are very busy: send them again",
            code="busy",
            retry_after=1,
        )

    def _piecemeal(self, delivery: Delivery) -> list[Result] | Exception:
        """Take one delivery in two parts; an element alone always fits."""
        results: list[Result] = []
        for part in halves(delivery):
            (taken,) = self._flush([part])
            if isinstance(taken, Exception):
                return taken
            results += taken
        return results

    def _receive(self, deliveries: Sequence[Delivery]) -> list[list[Result]]:
        with self._log.transaction() as cursor:
            deliveries = still_waiting(cursor, deliveries)
            reckoning = self._reckon(cursor, deliveries)
            positions = self._write(cursor, deliveries, reckoning)
        self._cache.keep(reckoning.states)
        return reckoning.results(positions)

    def _reckon(
        self, cursor: Cursor[tuple[Any, ...]], deliveries: Sequence[Delivery]
    ) -> Reckoning:
        signals = [
            heard
            for delivery in deliveries
            for heard in delivery.heard
            if isinstance(heard, Signal)
        ]
        keys = {signal_key(s.source, s.dedup_key): s.source for s in signals}
        rows = lock_keys(cursor, keys) if keys else {}
        version, policy = self._policies.current(cursor)
        states = self._cache.read(
            cursor, [row.incident for row in rows.values() if row.incident]
        )
        known = known_events(
            cursor, [(s.source, s.event_id) for s in signals if s.event_id]
        )
        openings = sum(_may_open(row, states) for row in rows.values())
        fresh = new_refs(cursor, "incident", openings)
        return reckon(
            deliveries,
            Before(rows, states, known, policy, version, self._clock(), fresh),
        )

    def _write(
        self,
        cursor: Cursor[tuple[Any, ...]],
        deliveries: Sequence[Delivery],
        reckoning: Reckoning,
    ) -> list[int]:
        """Write all of it; return the position of the last event of each member."""
        write_keys(cursor, reckoning.changed)
        keep_bodies(cursor, self._log.vault, deliveries)
        quarantine(cursor, self._log.vault, reckoning.unmapped)
        settle(cursor, reckoning, self._clock())
        remember_events(cursor, reckoning.received())
        members = reckoning.members(self._log)
        if not members:
            return []
        outcomes = self._log.append(cursor, members)
        if not all(isinstance(outcome, Recorded) for outcome in outcomes):
            raise _Again
        return [o.last for o in outcomes if isinstance(o, Recorded)]


def _may_open(row: KeyRow, states: Mapping[str, Versioned]) -> bool:
    """Tell whether a signal of this key may have to open an incident."""
    held = states.get(row.incident, UNOPENED) if row.incident else UNOPENED
    return held.incident is None or held.incident.status not in AT_WORK
