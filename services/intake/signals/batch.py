"""Computes the results of a batch of deliveries from the state before it. Pure.

Nothing is read or written here: rows, states and references are arguments, and what has
to be written is returned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.intake.policy.windows import Windows
from services.intake.records.signal import Signal, signal_key
from services.intake.records.store import (
    KEY_ROW,
    RecordUnreadable,
    Versioned,
    advance,
    readable,
)
from services.intake.signals.formats.elements.fields import one_line
from services.intake.signals.outcomes import (
    ElementResult,
    EventId,
    Received,
    StoredHoldOutcome,
    hold_outcome,
    with_hold,
)
from services.intake.signals.raw_store import Unmapped
from services.intake.signals.rules.context import (
    BatchContext,
    Correlated,
    GroupRow,
    KeyRow,
    Suppressed,
)
from services.intake.signals.rules.correlation import catch_up, correlate
from services.intake.signals.schemas import (
    TIMER,
    Delivery,
    Ignored,
    PostponedSignal,
    Rejected,
    Result,
    Status,
    TimePassed,
)
from shared.domain.bounded_text import REASON_MAX
from shared.domain.events import IncidentEvent
from shared.domain.identifiers import incident_stream
from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog

BEHIND = "it waits behind an earlier signal of its key"
_FRESH = 0
"""Placeholder in a queue for a signal that has no quarantine id yet."""


class EarlierWaits(Exception):
    """An earlier signal of the same key still waits."""


class Turns:
    """The queue of each key while one batch is processed.

    A delivery that retries a quarantined element may pass once it is first in its
    queue. `number` is the index of the delivery in its batch.
    """

    def __init__(self, waiting: Mapping[str, Sequence[int]]) -> None:
        self._queues = {key: list(ids) for key, ids in waiting.items()}
        self._stuck: set[tuple[int, str]] = set()

    def require(self, number: int, key: str, settles: int | None) -> None:
        """Raise `EarlierWaits` if an earlier signal of the key still waits."""
        queue = self._queues.get(key)
        if queue and (queue[0] != settles or (number, key) in self._stuck):
            raise EarlierWaits

    def postpone(self, number: int, key: str, settles: int | None) -> None:
        """Add a signal of this delivery to the queue, or keep it there."""
        queue = self._queues.setdefault(key, [])
        self._stuck.add((number, key))
        if settles is None:
            queue.append(_FRESH)
        elif settles not in queue:
            queue.append(settles)

    def release(self, settles: int) -> None:
        """Remove a quarantined element from the queues, so that the next may pass."""
        for queue in self._queues.values():
            if settles in queue:
                queue.remove(settles)


@dataclass(frozen=True, slots=True)
class BatchState:
    """The state before the batch, as read under the locks of its key rows.

    `rows` also contains the rows that wait with them in one of the `groups`.
    """

    rows: Mapping[str, KeyRow]
    groups: Mapping[str, GroupRow]
    windows: Windows
    states: Mapping[str, Versioned]
    known: Mapping[EventId, Result]
    policy: Policy
    policy_version: int
    now: datetime
    fresh: Sequence[str]
    """References for incidents that may be opened; one for each key is enough."""
    waiting: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """The quarantine ids of waiting signals, by key, in order."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Why the held content of a row cannot be decrypted, by key."""


@dataclass(frozen=True, slots=True)
class SignalBatch:
    """What has to be written, and the result for each element once it is."""

    deliveries: Sequence[Delivery]
    lines: Sequence[ElementResult]
    recorded: Sequence[Sequence[tuple[int, IncidentEvent]]]
    """The events of each append unit, each with its version in its stream."""
    changed: Sequence[KeyRow]
    """The key rows to write."""
    groups: Sequence[GroupRow]
    """The group rows to write."""
    suppressed: Sequence[Suppressed]
    policy_version: int
    states: Mapping[str, Versioned]
    unmapped: Sequence[Unmapped]
    settled: Sequence[StoredHoldOutcome]
    """Outcomes of signals that were remembered as held."""
    final: Mapping[int, ElementResult]
    """Final results of held signals of this batch, by line number."""

    def members(self, log: EventLog) -> list[AppendUnit]:
        """Return the append units, with their events in stored, encrypted form."""
        return [
            AppendUnit(
                tuple(
                    log.stored(incident_stream(event.incident), version, event)
                    for version, event in events
                )
            )
            for events in self.recorded
        ]

    def received(self) -> list[Received]:
        """Return what to remember about event ids seen for the first time."""
        return [
            Received(
                self.deliveries[line.delivery].source,
                self.deliveries[line.delivery].received_at,
                line.result,
                line.version,
                line.held_of,
                line.known,
            )
            for line in (self.final.get(n, each) for n, each in enumerate(self.lines))
            if line.result.event_id and not line.repeated
        ]

    def postponed(self) -> list[PostponedSignal]:
        """Return the signals that have to wait from now on."""
        return [
            line.postponed
            for line in self.lines
            if line.postponed and not self.deliveries[line.delivery].settles
        ]

    def results(self, positions: Sequence[int]) -> list[list[Result]]:
        """Return each delivery's results, with the position of its last event."""
        by_delivery: list[list[Result]] = [[] for _ in self.deliveries]
        for line in self.lines:
            result = line.result
            if line.member is not None:
                result = replace(result, position=positions[line.member])
            by_delivery[line.delivery].append(result)
        return by_delivery


def processed(deliveries: Sequence[Delivery], before: BatchState) -> SignalBatch:
    """Return the outcome of `deliveries`, processed in order."""
    progress = _Progress(before)
    for n, delivery in enumerate(deliveries):
        for index, heard in enumerate(delivery.heard, start=delivery.first):
            match heard:
                case Rejected():
                    progress.reject(n, delivery, index, heard)
                case Ignored():
                    progress.ignore(n, index, heard)
                case Signal():
                    progress.add(n, index, heard, delivery)
                case TimePassed():
                    progress.add_time(n, index, heard)
        progress.settle(n, delivery)
    return SignalBatch(
        deliveries,
        progress.lines,
        progress.recorded,
        [row for row in progress.rows.values() if row != before.rows[row.signal_key]],
        [
            each
            for each in progress.groups.values()
            if each != before.groups.get(each[0])
        ],
        progress.suppressed,
        before.policy_version,
        progress.states,
        progress.unmapped,
        progress.settled,
        progress.final,
    )


class _Progress:
    """The intermediate results while one batch is processed."""

    def __init__(self, before: BatchState) -> None:
        self._before = before
        self._lines_of: dict[EventId, ElementResult] = {}
        self.lines: list[ElementResult] = []
        self.recorded: list[list[tuple[int, IncidentEvent]]] = []
        self.rows: dict[str, KeyRow] = {}
        self.groups: dict[str, GroupRow] = dict(before.groups)
        self.suppressed: list[Suppressed] = []
        self.states: dict[str, Versioned] = dict(before.states)
        self._turns = Turns(before.waiting)
        self._context = BatchContext(
            before.now,
            before.policy,
            before.policy_version,
            before.windows,
            iter(before.fresh),
            self._incident,
            self._waiting,
            self.groups,
        )
        self.unmapped: list[Unmapped] = []
        self.settled: list[StoredHoldOutcome] = []
        self.final: dict[int, ElementResult] = {}

    def reject(self, n: int, delivery: Delivery, index: int, why: Rejected) -> None:
        """Record an element that is not a signal: reject it or quarantine it."""
        at = ".".join(map(str, why.loc))
        # The location may be a field name of the sender, with any characters.
        reason = one_line(f"{at}: {why.reason}" if at else why.reason, REASON_MAX)
        status: Status = "rejected" if delivery.told else "quarantined"
        result = Result(index, status, error=reason, loc=why.loc or None)
        self.lines.append(ElementResult(n, result))
        if not delivery.told:
            self.unmapped.append(Unmapped(delivery, index, reason))

    def ignore(self, n: int, index: int, why: Ignored) -> None:
        """Record an element that is not about any alert."""
        reason = one_line(why.reason, REASON_MAX)
        result = Result(index, "ignored", why.event_id, error=reason)
        self.lines.append(ElementResult(n, result))

    def add(self, n: int, index: int, signal: Signal, delivery: Delivery) -> None:
        """Record a signal: either a known message or something new."""
        event = (signal.source, signal.event_id) if signal.event_id else None
        if event and (line := self._repeated(n, index, signal, event, delivery)):
            self.lines.append(line)
            return
        line = self._in_turn(n, index, signal, delivery)
        if event and event in self._before.known:
            line = replace(line, known=True)
        self.lines.append(line)
        if event:
            self._lines_of[event] = line

    def _repeated(
        self, n: int, index: int, signal: Signal, event: EventId, delivery: Delivery
    ) -> ElementResult | None:
        if event in self._lines_of:
            first = self._lines_of[event]
            result = replace(
                first.result, index=index, status="duplicate", position=None
            )
            return ElementResult(n, result, first.member, repeated=True)
        known = self._before.known.get(event)
        if known is None or (delivery.settles and known.status == "quarantined"):
            return None
        result = replace(
            known, index=index, status="duplicate", dedup_key=signal.dedup_key
        )
        return ElementResult(n, result, repeated=True)

    def _in_turn(
        self, n: int, index: int, signal: Signal, delivery: Delivery
    ) -> ElementResult:
        """Process a signal if no earlier one waits and all it needs can be read."""
        key = signal_key(signal.source, signal.dedup_key)
        settles = delivery.settles.quarantine_id if delivery.settles else None
        awaits: str | None = None
        try:
            self._turns.require(n, key, settles)
            self._require_readable(key)
            return self._correlated(n, index, signal, delivery)
        except EarlierWaits:
            reason = BEHIND
        except RecordUnreadable as error:
            awaits, reason = error.ref, one_line(error.sentence, REASON_MAX)
        self._turns.postpone(n, key, settles)
        result = Result(
            index, "quarantined", signal.event_id, signal.dedup_key, error=reason
        )
        postponed = PostponedSignal(delivery, index, key, awaits, reason)
        # A signal that already waits is already remembered.
        return ElementResult(
            n, result, repeated=settles is not None, postponed=postponed
        )

    def settle(self, n: int, delivery: Delivery) -> None:
        """Release the signals behind a quarantined element once it is taken."""
        if delivery.settles is None:
            return
        if not any(line.delivery == n and line.postponed for line in self.lines):
            self._turns.release(delivery.settles.quarantine_id)

    def _require_readable(self, key: str) -> None:
        if key in self._before.unreadable:
            raise RecordUnreadable(f"{KEY_ROW}{key}", self._before.unreadable[key])

    def add_time(self, n: int, index: int, heard: TimePassed) -> None:
        """Process the passage of time for an alert; processing is idempotent.

        The result has an error if the alert cannot be processed at present.
        """
        member, why = None, None
        try:
            self._turns.require(n, heard.signal_key, None)
            self._require_readable(heard.signal_key)
            row = self._row(heard.signal_key)
            member = self._catch_up(row, self._before.now, recheck=True)
        except EarlierWaits:
            why = BEHIND
        except RecordUnreadable as error:
            why = one_line(error.sentence, REASON_MAX)
        result = Result(index, "ignored", error=why, rule=TIMER)
        self.lines.append(ElementResult(n, result, member))

    def _catch_up(
        self, row: KeyRow, until: datetime, *, recheck: bool = False
    ) -> int | None:
        """Process everything due until then; return the last append unit, if any."""
        last = None
        for heard in catch_up(row, until, self._context, recheck=recheck):
            member, _ = self._take(heard)
            last = last if member is None else member
        return last

    def _correlated(
        self, n: int, index: int, signal: Signal, delivery: Delivery
    ) -> ElementResult:
        received_at = delivery.received_at
        row = self._row(signal_key(signal.source, signal.dedup_key))
        if row.due_at is not None:
            # What was due before the signal came takes effect first, even if late.
            self._catch_up(row, received_at)
            row = self._row(row.signal_key)
        heard = correlate(row, signal, received_at, delivery.adapter, self._context)
        member, version = self._take(heard)
        result = Result(
            index,
            heard.outcome,
            signal.event_id,
            signal.dedup_key,
            heard.row.incident,
            error=heard.why.reason,
            rule=heard.why.code,
            rule_of=heard.why.of,
        )
        held = row.signal_key if heard.outcome == "held" else None
        return ElementResult(n, result, member, version, held_of=held)

    def _take(self, heard: Correlated) -> tuple[int | None, int | None]:
        rows = (heard.row, *heard.others)
        holds = [hold_outcome(self._row(row.signal_key), row, heard) for row in rows]
        self.rows[heard.row.signal_key] = heard.row
        for row in heard.others:
            self.rows[row.signal_key] = row
        if heard.group is not None:
            self.groups[heard.group.group_key] = heard.group
        self.suppressed.extend(heard.suppressed)
        member, version = self._record(heard.events)
        self._settle([StoredHoldOutcome(each, version) for each in holds if each])
        return member, version

    def _settle(self, settled: Sequence[StoredHoldOutcome]) -> None:
        """Record the outcome of signals held in this batch or earlier."""
        self.settled += settled
        for each in settled:
            for n, line in enumerate(self.lines):
                if line.held_of == each.hold.signal_key and n not in self.final:
                    self.final[n] = with_hold(line, each)

    def _row(self, key: str) -> KeyRow:
        return self.rows.get(key) or self._before.rows[key]

    def _incident(self, ref: str) -> Incident | None:
        return readable(self.states, ref).incident

    def _waiting(self, group: str) -> Sequence[KeyRow]:
        for key in self._before.unreadable:
            if self._row(key).life.group == group:
                self._require_readable(key)
        rows = {**self._before.rows, **self.rows}.values()
        return [
            row
            for row in rows
            if row.held and row.held.code == "threshold" and row.life.group == group
        ]

    def _record(self, events: Sequence[IncidentEvent]) -> tuple[int | None, int | None]:
        if not events:
            return None, None
        versioned = advance(self.states, events)
        self.recorded.append(versioned)
        return len(self.recorded) - 1, versioned[-1][0]
