"""A desk without servers: commands and signals in, events out, keys that move along.

What the store does in one transaction is done here in memory, for tests that try any
history there can be.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from services.intake.commands import Command
from services.intake.correlation import Correlated, KeyRow, correlate
from services.intake.decider import Refused, decide
from services.intake.signals import Signal, signal_key
from shared.events import IncidentEvent
from shared.events.incident_ties import (
    IncidentAbsorbed,
    IncidentSplit,
    IncidentUnmerged,
)
from shared.incident import Incident, evolve
from shared.policy.document import Policy
from shared.references import incident_ref
from shared.wishes import Link, Merge, Unlink
from tests.support.policies import full

POLICY = full()
FIRST_BY_SIGNAL = 1_000


@dataclass
class PureDesk:
    """The log, the incidents and the key rows it adds up to."""

    policy: Policy = POLICY
    log: list[IncidentEvent] = field(default_factory=list)
    incidents: dict[str, Incident] = field(default_factory=dict)
    rows: dict[str, KeyRow] = field(default_factory=dict)
    _numbers: Iterator[int] = field(
        default_factory=lambda: iter(range(FIRST_BY_SIGNAL, 1_000_000))
    )

    def take(self, command: Command) -> list[IncidentEvent]:
        """Do what `command` says; nothing if it is refused."""
        incident = self.incidents.get(command.incident)
        match command.wish:
            case Merge(into=ref) | Link(target=ref) | Unlink(target=ref):
                other = self.incidents.get(ref)
            case _:
                other = self.incidents.get((incident and incident.merged_into) or "")
        with suppress(Refused):
            events = decide(
                command, incident, other=other, policy=self.policy, policy_version=1
            )
            self._append(events)
            return events
        return []

    def hear(self, signal: Signal, at: datetime) -> Correlated:
        """Receive `signal` at `at`."""
        key = signal_key(signal.source, signal.dedup_key)
        row = self.rows.get(key) or KeyRow(key, signal.source)
        heard = correlate(
            row,
            self.incidents.get(row.incident or ""),
            signal,
            received_at=at,
            at=at,
            policy=self.policy,
            policy_version=1,
            fresh=map(incident_ref, self._numbers),
        )
        self.rows[key] = heard.row
        self._append(heard.events)
        return heard

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
        for key in moved:
            self.rows[key] = self.rows[key]._replace(incident=ref)
