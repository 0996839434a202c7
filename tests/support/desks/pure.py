"""A desk without servers: commands and signals in, events out, keys that move along.

What the store does in one transaction is done here in memory, for tests that try any
history there can be.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from services.intake.policy.windows import Window, windows_of
from services.intake.records.rules import DecisionContext, decide
from services.intake.records.signal import Signal, signal_key
from services.intake.records.store import Versioned
from services.intake.records.system_command import AnyCommand
from services.intake.signals.batch import BatchState, SignalBatch, processed
from services.intake.signals.outcomes import EventId
from services.intake.signals.rules.classification import enriched
from services.intake.signals.rules.context import NO_LIFE, GroupRow, KeyRow, Suppressed
from services.intake.signals.schemas import Delivery, Result, TimePassed
from shared.domain.events import IncidentEvent, is_incident_event
from shared.domain.events.incident import IncidentOpened
from shared.domain.events.incident_ties import (
    IncidentAbsorbed,
    IncidentSplit,
    IncidentUnmerged,
)
from shared.domain.identifiers import incident_ref
from shared.domain.incident import Incident, evolve
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from tests.support.policies import full

ALONE = (", correlate: {by: [service], within: 5m}", "")
"""A change of the full policy: no trouble belongs together with another."""
POLICY = full(ALONE)
FIRST_BY_SIGNAL = 1_000


class Command(NamedTuple):
    """A command about `incident`, which for `open` may be new."""

    incident: str
    at: datetime
    by: str
    wish: AnyCommand
    roles: tuple[str, ...] = ()
    new: str | None = None
    """The reference that `split` opens."""
    client: str | None = None
    """That of the reporter in the directory."""


class Heard(NamedTuple):
    """The outcome of a signal, what was appended, and its row after it."""

    outcome: str
    row: KeyRow
    events: Sequence[IncidentEvent]
    reason: str | None
    rule: str | None


def _key(heard: Signal | TimePassed) -> str:
    if isinstance(heard, TimePassed):
        return heard.signal_key
    return signal_key(heard.source, heard.dedup_key)


@dataclass
class PureDesk:
    """The log, the incidents and the key rows it adds up to."""

    policy: Policy = POLICY
    log: list[IncidentEvent] = field(default_factory=list)
    incidents: dict[str, Incident] = field(default_factory=dict)
    rows: dict[str, KeyRow] = field(default_factory=dict)
    groups: dict[str, GroupRow] = field(default_factory=dict)
    known: dict[EventId, Result] = field(default_factory=dict)
    held: dict[EventId, str] = field(default_factory=dict)
    """Of which trouble each event id is held, as far as is remembered."""
    suppressed: list[Suppressed] = field(default_factory=list)
    announced: list[tuple[str, Window]] = field(default_factory=list)
    adapter: str = "native"
    """What reads the signals it hears."""
    _next: int = FIRST_BY_SIGNAL

    def take(self, command: Command) -> list[IncidentEvent]:
        """Do what `command` says; nothing if it is refused."""
        context = DecisionContext(
            command.incident,
            command.at,
            command.by,
            self.policy,
            1,
            command.roles,
            self.incidents,
            new=command.new,
        )
        incident = self.incidents.get(command.incident)
        with suppress(Refused):
            decided = decide(command.wish, incident, context)
            events = [event for event in decided if is_incident_event(event)]
            self._append(events)
            return events
        return []

    def hear(self, signal: Signal, at: datetime) -> Heard:
        """Receive `signal` at `at`."""
        (heard,) = self.hear_all([signal], at)
        return heard

    def hear_all(self, signals: Sequence[Signal], at: datetime) -> list[Heard]:
        """Receive these together at `at`."""
        batch = self._processed(signals, at)
        return [
            Heard(
                line.result.status,
                self.rows[signal_key(signal.source, signal.dedup_key)],
                ()
                if line.member is None
                else tuple(e for _, e in batch.recorded[line.member]),
                line.result.error,
                line.result.rule,
            )
            for signal, line in zip(signals, batch.lines, strict=True)
        ]

    def pass_time(self, at: datetime, *, anew: bool = False) -> list[IncidentEvent]:
        """Let it be `at`: look at every trouble of which something is due by then."""
        timers = [
            TimePassed(row.signal_key, row.source)
            for row in self.rows.values()
            if row.due_at is not None and (anew or row.due_at <= at)
        ]
        batch = self._processed(timers, at)
        return [event for events in batch.recorded for _, event in events]

    def _processed(
        self, heard: Sequence[Signal | TimePassed], at: datetime
    ) -> SignalBatch:
        keys = {_key(each): each.source for each in heard}
        rows = {key: self.rows.get(key) or KeyRow(key, keys[key]) for key in keys}
        first, count = self._next, len(heard)
        states = {
            ref: Versioned(0, incident) for ref, incident in self.incidents.items()
        }
        before = BatchState(
            {**self.rows, **rows},
            self.groups,
            windows_of(self.policy.maintenance, self.announced),
            states,
            self.known,
            self.policy,
            1,
            at,
            [incident_ref(n) for n in range(first, first + count)],
        )
        delivery = Delivery("prom", self.adapter, b"", 0, tuple(heard), at)
        batch = processed(enriched([delivery], self.policy), before)
        for row in batch.changed:
            self.rows[row.signal_key] = row
        for key, row in rows.items():
            self.rows.setdefault(key, row)
        for group in batch.groups:
            self.groups[group.group_key] = group
        self.suppressed += batch.suppressed
        self._settle(batch)
        for each in batch.received():
            if each.result.event_id:
                event = (each.source, each.result.event_id)
                self.known[event] = each.result
                if each.held_of is not None:
                    self.held[event] = each.held_of
        events = [event for events in batch.recorded for _, event in events]
        opened = [event for event in events if isinstance(event, IncidentOpened)]
        self._next += len(opened)
        self._append(events)
        return batch

    def _settle(self, batch: SignalBatch) -> None:
        """Remember the outcome of what was held, the first of each trouble."""
        for each in batch.settled:
            hold = each.hold
            for event in [e for e, key in self.held.items() if key == hold.signal_key]:
                del self.held[event]
                self.known[event] = replace(
                    self.known[event],
                    status=hold.outcome,
                    incident=hold.incident,
                    error=hold.why.reason,
                    rule=hold.why.code,
                )

    def _append(self, events: Iterable[IncidentEvent]) -> None:
        for event in events:
            self.log.append(event)
            held = self.incidents.get(event.incident)
            self.incidents[event.incident] = evolve(held, event)
            self._move_keys(event)

    def _move_keys(self, event: IncidentEvent) -> None:
        match event:
            case IncidentAbsorbed(signals=keys, incident=ref):
                moved: Iterable[str] = keys
            case IncidentUnmerged(signals=keys, incident=ref):
                moved = keys
            case IncidentSplit(signal_keys=split, into=ref):
                moved = split
            case _:
                return
        apart = isinstance(event, IncidentSplit)
        for key in moved:
            row = self.rows[key]
            life = replace(row.life, apart=apart)
            life = NO_LIFE if life == NO_LIFE else life
            self.rows[key] = row._replace(incident=ref, life=life)
