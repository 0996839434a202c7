"""What a batch of deliveries comes to, given what was true before it. Pure.

Nothing is read or written here: the rows, states and references are arguments, and what
is to be written comes back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.intake.adapters.cutting import one_line
from services.intake.correlation import KeyRow, correlate
from services.intake.delivery import Delivery, Result, Status
from services.intake.outcomes import EventId, Received
from services.intake.raw_store import Unmapped
from services.intake.record_cache import UNOPENED, Versioned, advance
from services.intake.signals import Ignored, Rejected, Signal, signal_key
from shared.append import Member
from shared.event_log import EventLog
from shared.events import IncidentEvent
from shared.policy.document import Policy
from shared.references import incident_stream
from shared.texts import REASON_MAX


@dataclass(frozen=True, slots=True)
class Before:
    """What is true before the batch, as read under the locks of its key rows."""

    rows: Mapping[str, KeyRow]
    states: Mapping[str, Versioned]
    known: Mapping[EventId, Result]
    policy: Policy
    policy_version: int
    now: datetime
    fresh: Sequence[str]
    """References for incidents that may have to be opened: one a key is enough."""


@dataclass(frozen=True, slots=True)
class Line:
    """One element's result; `member` is the one that records its events, if any."""

    delivery: int
    result: Result
    member: int | None = None
    version: int | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What is to be written, and what each element hears once it is."""

    deliveries: Sequence[Delivery]
    lines: Sequence[Line]
    recorded: Sequence[Sequence[tuple[int, IncidentEvent]]]
    """The events of each member, each with its version in its stream."""
    changed: Sequence[KeyRow]
    """The key rows to be written."""
    states: Mapping[str, Versioned]
    unmapped: Sequence[Unmapped]

    def members(self, log: EventLog) -> list[Member]:
        """Return the events in stored form, sealed."""
        return [
            Member(
                tuple(
                    log.stored(incident_stream(event.incident), version, event)
                    for version, event in events
                )
            )
            for events in self.recorded
        ]

    def received(self) -> list[Received]:
        """Return what is to be remembered of event ids seen for the first time."""
        return [
            Received(
                self.deliveries[line.delivery].source,
                self.deliveries[line.delivery].received_at,
                line.result,
                line.version,
            )
            for line in self.lines
            if line.result.event_id and not line.repeated
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


def reckon(deliveries: Sequence[Delivery], before: Before) -> Reckoning:
    """Return what `deliveries` come to, taken in order."""
    tally = _Tally(before)
    for n, delivery in enumerate(deliveries):
        for index, heard in enumerate(delivery.heard, start=delivery.first):
            match heard:
                case Rejected():
                    tally.refuse(n, delivery, index, heard)
                case Ignored():
                    tally.ignore(n, index, heard)
                case Signal():
                    tally.hear(n, index, heard, delivery.received_at)
    return Reckoning(
        deliveries,
        tally.lines,
        tally.recorded,
        [row for row in tally.rows.values() if row != before.rows[row.signal_key]],
        tally.states,
        tally.unmapped,
    )


class _Tally:
    """The running account while a batch is gone through; lives for one call."""

    def __init__(self, before: Before) -> None:
        self._before = before
        self._fresh: Iterator[str] = iter(before.fresh)
        self._lines_of: dict[EventId, Line] = {}
        self.lines: list[Line] = []
        self.recorded: list[list[tuple[int, IncidentEvent]]] = []
        self.rows: dict[str, KeyRow] = {}
        self.states: dict[str, Versioned] = dict(before.states)
        self.unmapped: list[Unmapped] = []

    def refuse(self, n: int, delivery: Delivery, index: int, why: Rejected) -> None:
        """Account for an element that is no signal: told, or kept for later."""
        at = ".".join(map(str, why.loc))
        # The place may be a name of the sender's own, with any characters.
        reason = one_line(f"{at}: {why.reason}" if at else why.reason, REASON_MAX)
        status: Status = "rejected" if delivery.told else "quarantined"
        result = Result(index, status, error=reason, loc=why.loc or None)
        self.lines.append(Line(n, result))
        if not delivery.told:
            self.unmapped.append(Unmapped(delivery, index, reason))

    def ignore(self, n: int, index: int, why: Ignored) -> None:
        """Account for an element that says nothing of any trouble."""
        reason = one_line(why.reason, REASON_MAX)
        result = Result(index, "ignored", why.event_id, error=reason)
        self.lines.append(Line(n, result))

    def hear(self, n: int, index: int, signal: Signal, received_at: datetime) -> None:
        """Account for a signal: a message known already, or something new."""
        event = (signal.source, signal.event_id) if signal.event_id else None
        if event and (line := self._repeated(n, index, signal, event)):
            self.lines.append(line)
            return
        line = self._correlated(n, index, signal, received_at)
        self.lines.append(line)
        if event:
            self._lines_of[event] = line

    def _repeated(
        self, n: int, index: int, signal: Signal, event: EventId
    ) -> Line | None:
        if event in self._lines_of:
            first = self._lines_of[event]
            result = replace(
                first.result, index=index, status="duplicate", position=None
            )
            return Line(n, result, first.member, repeated=True)
        if event in self._before.known:
            known = self._before.known[event]
            result = replace(
                known, index=index, status="duplicate", dedup_key=signal.dedup_key
            )
            return Line(n, result, repeated=True)
        return None

    def _correlated(
        self, n: int, index: int, signal: Signal, received_at: datetime
    ) -> Line:
        key = signal_key(signal.source, signal.dedup_key)
        row = self.rows.get(key) or self._before.rows[key]
        held = self.states.get(row.incident, UNOPENED) if row.incident else UNOPENED
        heard = correlate(
            row,
            held.incident,
            signal,
            received_at=received_at,
            at=self._before.now,
            policy=self._before.policy,
            policy_version=self._before.policy_version,
            fresh=self._fresh,
        )
        self.rows[key] = heard.row
        member, version = self._record(heard.events)
        result = Result(
            index,
            heard.outcome,
            signal.event_id,
            signal.dedup_key,
            heard.row.incident,
            error=heard.reason,
        )
        return Line(n, result, member, version)

    def _record(self, events: Sequence[IncidentEvent]) -> tuple[int | None, int | None]:
        if not events:
            return None, None
        versioned = advance(self.states, events)
        self.recorded.append(versioned)
        return len(self.recorded) - 1, versioned[-1][0]
