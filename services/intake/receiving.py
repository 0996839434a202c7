"""The one transaction of intake: raw bodies, key rows and events, all or nothing.

Signals are taken in the order they came; each sees what the ones before it did. Locks
are taken in one order by everybody: key rows, bodies, event ids, and last the log.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Cursor

from services.intake.delivery import TIMER, Delivery, Elapsed, Result, halves
from services.intake.faults import FAULTS
from services.intake.numbers import new_refs
from services.intake.observed import keep_changes, observed, tell_changes
from services.intake.openings import openings
from services.intake.outcomes import known_events, remember_events, settle_held
from services.intake.pipeline.enriching import enriched
from services.intake.pipeline.groups import group_key
from services.intake.policies import Policies
from services.intake.quarantine.settling import settle, still_waiting
from services.intake.raw_store import keep_bodies, quarantine
from services.intake.reckoning import Before, Reckoning, reckon
from services.intake.record_cache import RecordCache, Versioned
from services.intake.signal_keys import (
    Moved,
    Rows,
    lock_keys,
    lock_together,
    write_groups,
    write_keys,
)
from services.intake.signals import Signal, signal_key
from services.intake.suppressed import keep_suppressed
from shared.append import Recorded, TooLarge
from shared.clock import Clock
from shared.event_log import EventLog
from shared.policy.document import Policy
from shared.problem import Problem

Cursors = Cursor[tuple[Any, ...]]
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
            except (_Again, Moved):
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

    def _reckon(self, cursor: Cursors, deliveries: Sequence[Delivery]) -> Reckoning:
        version, policy, windows = self._policies.with_windows(cursor)
        deliveries = enriched(deliveries, policy)
        heard = [each for delivery in deliveries for each in delivery.heard]
        signals = [each for each in heard if isinstance(each, Signal)]
        timers = [each for each in heard if isinstance(each, Elapsed)]
        rows = self._lock(cursor, signals, timers, policy)
        states = self._states(cursor, rows)
        known = known_events(
            cursor, [(s.source, s.event_id) for s in signals if s.event_id]
        )
        number = openings(deliveries, rows.keys, states, policy)
        fresh = new_refs(cursor, "incident", number)
        return reckon(
            deliveries,
            Before(
                rows.keys,
                rows.groups,
                windows,
                states,
                known,
                policy,
                version,
                self._clock(),
                fresh,
            ),
        )

    def _lock(
        self,
        cursor: Cursors,
        signals: Sequence[Signal],
        timers: Sequence[Elapsed],
        policy: Policy,
    ) -> Rows:
        """Lock the rows of all troubles, and of groups where a source has them."""
        keys = {signal_key(s.source, s.dedup_key): s.source for s in signals}
        keys |= {timer.signal_key: timer.source for timer in timers}
        if not keys:
            return Rows({}, {})
        vault = self._log.vault
        monitors = (policy.monitor(source) for source in set(keys.values()))
        if not any(monitor and monitor.correlate for monitor in monitors):
            return lock_keys(cursor, keys, vault)
        groups = {group_key(policy, signal) for signal in signals} - {None}
        return lock_together(cursor, keys, map(str, groups), vault)

    def _states(self, cursor: Cursors, rows: Rows) -> dict[str, Versioned]:
        """Return the incidents of these rows, also those they were merged into."""
        asked = {row.incident for row in rows.keys.values() if row.incident}
        groups = {group.incident for group in rows.groups.values() if group.incident}
        states = self._cache.read(cursor, asked | groups)
        follow = groups
        while follow := _merged_into(follow, states) - set(states):
            states |= self._cache.read(cursor, follow)
        return states

    def _write(
        self,
        cursor: Cursors,
        deliveries: Sequence[Delivery],
        reckoning: Reckoning,
    ) -> list[int]:
        """Write all of it; return the position of the last event of each member."""
        vault = self._log.vault
        write_keys(cursor, reckoning.changed, vault)
        write_groups(cursor, reckoning.groups)
        keep_suppressed(cursor, reckoning.suppressed, reckoning.policy_version)
        keep_bodies(cursor, vault, [d for d in deliveries if d.adapter != TIMER])
        quarantine(cursor, vault, reckoning.unmapped)
        if tell_changes(deliveries):
            _, policy = self._policies.current(cursor)
            keep_changes(cursor, vault, observed(deliveries, policy))
        settle(cursor, reckoning, self._clock())
        settle_held(cursor, reckoning.settled)
        remember_events(cursor, reckoning.received())
        members = reckoning.members(self._log)
        if not members:
            return []
        outcomes = self._log.append(cursor, members)
        if not all(isinstance(outcome, Recorded) for outcome in outcomes):
            raise _Again
        return [o.last for o in outcomes if isinstance(o, Recorded)]


def _merged_into(refs: set[str], states: Mapping[str, Versioned]) -> set[str]:
    found = (states[ref].incident for ref in refs if ref in states)
    return {i.merged_into for i in found if i is not None and i.merged_into}
