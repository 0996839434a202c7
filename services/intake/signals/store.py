"""The transaction of intake: raw bodies, key rows and events, all or nothing.

Signals are processed in the order of arrival; each sees the effects of the earlier
ones. All processes take locks in the same order: keys, groups and event ids in one
pass, then retried elements, bodies, and last the log.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from services.intake.policy.store import Policies
from services.intake.records.reference_numbers import new_refs
from services.intake.records.signal import Signal, signal_key
from services.intake.records.store import RecordCache, Versioned
from services.intake.signals.batch import BatchState, SignalBatch, processed
from services.intake.signals.key_rows import (
    Locked,
    Moved,
    Rows,
    lock_keys,
    lock_together,
    write_groups,
    write_keys,
)
from services.intake.signals.openings import openings
from services.intake.signals.outcomes import (
    EventId,
    keep_suppressed,
    known_events,
    remember_events,
    settle_held,
)
from services.intake.signals.raw_store import (
    has_changes,
    keep_bodies,
    keep_changes,
    keep_quarantined_bodies,
    observed,
    quarantine,
)
from services.intake.signals.rules.classification import enriched, group_key
from services.intake.signals.schemas import (
    TIMER,
    Delivery,
    Rejected,
    Result,
    TimePassed,
    halves,
)
from services.intake.signals.waiting_signals import (
    keep_postponed,
    settle,
    still_waiting,
    waiting_in_order,
)
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.domain.policy.document import Policy
from shared.eventlog.append import Recorded
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.error_responses import problem_of
from shared.http.problem_details import HttpError

ATTEMPTS_MAX = 20
"""How often a batch is retried after conflicts with commands, before a 503."""


class _Again(Exception):
    """A command was recorded in between: roll back and process the batch again."""


class Receiver:
    """Processes batches of deliveries; it blocks, so it runs in an executor."""

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
        """Return the results of each delivery, in order; all of them are committed.

        They are processed in one transaction, or in halves if that fails, so that an
        error of one delivery fails that one alone. Raises `Unavailable`.
        """
        for _ in range(ATTEMPTS_MAX):
            try:
                for source in {delivery.source for delivery in deliveries}:
                    self._log.vault.prepare(f"source:{source}")
                return self._receive(deliveries)
            except (_Again, Moved):
                continue
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 # it fails one delivery alone
                return self._divided(deliveries, error)
        return self._divided(deliveries, _busy())

    def _divided(
        self, deliveries: Sequence[Delivery], error: Exception
    ) -> Sequence[list[Result] | Exception]:
        half = len(deliveries) // 2
        if half:
            head, tail = deliveries[:half], deliveries[half:]
            return [*self._part(head), *self._part(tail)]
        (delivery,) = deliveries
        if len(delivery.heard) > 1:
            return [self._piecemeal(delivery)]
        return [self._alone(delivery, error)]

    def _part(
        self, deliveries: Sequence[Delivery]
    ) -> Sequence[list[Result] | Exception]:
        """Process a part of a batch; results of the other part are not affected."""
        try:
            return self.flush(deliveries)
        except Unavailable as error:
            return [error] * len(deliveries)

    def _piecemeal(self, delivery: Delivery) -> list[Result] | Exception:
        """Process one delivery in two parts; both are tried, even if one fails."""
        results: list[Result] = []
        failed: Exception | None = None
        for part in halves(delivery):
            (taken,) = self.flush([part])
            if isinstance(taken, Exception):
                failed = failed or taken
            else:
                results += taken
        return failed or results

    def _alone(self, delivery: Delivery, error: Exception) -> list[Result] | Exception:
        """Return the result for a single element that cannot be processed.

        The other elements of its request are taken, so this one is quarantined. An
        `HttpError` does not concern the element itself: the sender retries it.
        """
        (heard,) = delivery.heard
        if isinstance(error, HttpError) and not isinstance(heard, TimePassed):
            return error
        match heard:
            case TimePassed():
                why = problem_of(error, TIMER).details.detail
                return [Result(delivery.first, "ignored", error=why, rule=TIMER)]
            case Signal() if (delivery.elements or 1) > 1 and not delivery.settles:
                why = problem_of(error, delivery.source).details.detail
                unmapped = Rejected(delivery.first, why)
                kept = replace(delivery, heard=(unmapped,), told=False)
                (taken,) = self.flush([kept])
                return taken
            case _:
                return error

    def _receive(self, deliveries: Sequence[Delivery]) -> list[list[Result]]:
        with self._log.transaction() as cursor:
            batch = self._processed(cursor, deliveries)
            positions = self._write(cursor, batch)
        self._cache.keep(batch.states)
        return batch.results(positions)

    def _processed(
        self, cursor: Cursors, deliveries: Sequence[Delivery]
    ) -> SignalBatch:
        version, policy, windows = self._policies.with_windows(cursor)
        deliveries = enriched(deliveries, policy)
        heard = [each for delivery in deliveries for each in delivery.heard]
        signals = [each for each in heard if isinstance(each, Signal)]
        timers = [each for each in heard if isinstance(each, TimePassed)]
        events = {(s.source, s.event_id) for s in signals if s.event_id}
        rows = self._lock(cursor, signals, timers, events, policy)
        deliveries = still_waiting(cursor, deliveries)
        states = self._states(cursor, rows)
        number = openings(deliveries, rows.keys, states, policy)
        before = BatchState(
            rows.keys,
            rows.groups,
            windows,
            states,
            known_events(cursor, events),
            policy,
            version,
            self._clock(),
            new_refs(cursor, "incident", number),
            waiting_in_order(cursor, list(rows.keys)),
            rows.unreadable,
        )
        return processed(deliveries, before)

    def _lock(
        self,
        cursor: Cursors,
        signals: Sequence[Signal],
        timers: Sequence[TimePassed],
        events: Collection[EventId],
        policy: Policy,
    ) -> Rows:
        """Lock the key rows, the event ids, and the groups if a source has them."""
        keys = {signal_key(s.source, s.dedup_key): s.source for s in signals}
        keys |= {timer.signal_key: timer.source for timer in timers}
        if not keys:
            return Rows({}, {}, {})
        vault, about = self._log.vault, Locked(keys, events)
        monitors = (policy.monitor(source) for source in set(keys.values()))
        if not any(monitor and monitor.correlate for monitor in monitors):
            return lock_keys(cursor, about, vault)
        groups = {group_key(policy, signal) for signal in signals} - {None}
        return lock_together(cursor, about, map(str, groups), vault)

    def _states(self, cursor: Cursors, rows: Rows) -> dict[str, Versioned]:
        """Return the incidents of these rows, including those they were merged into."""
        asked = {row.incident for row in rows.keys.values() if row.incident}
        groups = {group.incident for group in rows.groups.values() if group.incident}
        states = self._cache.read(cursor, asked | groups)
        follow = groups
        while follow := _merged_into(follow, states) - set(states):
            states |= self._cache.read(cursor, follow)
        return states

    def _write(self, cursor: Cursors, batch: SignalBatch) -> list[int]:
        """Write everything; return the last event's position for each append unit."""
        vault, deliveries = self._log.vault, batch.deliveries
        write_keys(cursor, batch.changed, vault)
        write_groups(cursor, batch.groups)
        keep_suppressed(cursor, batch.suppressed, batch.policy_version)
        keep_bodies(cursor, vault, [d for d in deliveries if d.adapter != TIMER])
        self._set_aside(cursor, batch)
        if has_changes(deliveries):
            _, policy = self._policies.current(cursor)
            keep_changes(cursor, vault, observed(deliveries, policy))
        settle(cursor, batch, self._clock())
        settle_held(cursor, batch.settled)
        remember_events(cursor, batch.received())
        members = batch.members(self._log)
        if not members:
            return []
        outcomes = self._log.append(cursor, members)
        if not all(isinstance(outcome, Recorded) for outcome in outcomes):
            raise _Again
        return [o.last for o in outcomes if isinstance(o, Recorded)]

    def _set_aside(self, cursor: Cursors, batch: SignalBatch) -> None:
        postponed = batch.postponed()
        set_aside = [
            *(each.delivery for each in batch.unmapped),
            *(each.delivery for each in postponed),
        ]
        digests = keep_quarantined_bodies(cursor, self._log.vault, set_aside)
        quarantine(cursor, digests, batch.unmapped)
        keep_postponed(cursor, digests, postponed)


def _busy() -> HttpError:
    return HttpError(
        503,
        "the incidents of these signals are very busy: send them again",
        code="busy",
        retry_after=1,
    )


def _merged_into(refs: set[str], states: Mapping[str, Versioned]) -> set[str]:
    found = (states[ref].incident for ref in refs if ref in states)
    return {i.merged_into for i in found if i is not None and i.merged_into}
