"""Links incidents and problems automatically, following the event log.

An incident that joins a problem is linked on both sides; a presumed link that is
refuted is removed; and incidents record that their problem was resolved. Decisions are
based on the current state of the records, so processing is idempotent.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar, assert_never

from services.intake.policy.store import Policies
from services.intake.records.rules.context import DecisionContext
from services.intake.records.rules.links import (
    Joined,
    joined,
    no_longer_presumed,
    resolved_on_incident,
)
from services.intake.records.store import (
    Versioned,
    advance,
    readable,
    replayed_records,
)
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.domain.events.handover import HandoverDeclined, HandoverJoined
from shared.domain.events.incident_ties import IncidentLinked
from shared.domain.events.problem import ProblemResolved
from shared.domain.incident import Incident
from shared.domain.problem import Problem
from shared.domain.record import ref_of, stream_of
from shared.eventlog.append import AppendUnit
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog

AT_ONCE_MAX = 200
"""Incidents of a problem that are read at once."""
ACTOR = "system:intake"

_Concerned = HandoverJoined | HandoverDeclined | IncidentLinked | ProblemResolved
_Rule = Callable[[Problem, Incident, DecisionContext], Sequence[Joined]]
_Item = TypeVar("_Item")
_Kind = TypeVar("_Kind", Incident, Problem)


class ProblemLinks:
    """Keeps the links between incidents and problems up to date with the log."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._policies = Policies(log)

    def decided(self, cursor: Cursors, entries: Sequence[Entry]) -> list[AppendUnit]:
        """Return what is appended because of `entries`.

        Raises `RecordUnreadable` if a record cannot be read at present: then the event
        is parked, and applied when it is retried.
        """
        concerned = [event for entry in entries if (event := _concerned(entry))]
        if not concerned:
            return []
        version, policy = self._policies.current(cursor)

        def context(problem: Problem) -> DecisionContext:
            return DecisionContext(problem.ref, self._clock(), ACTOR, policy, version)

        records = _Records(self._log, cursor, context)
        for event in concerned:
            records.take(event)
        return records.decided


def _concerned(entry: Entry) -> _Concerned | None:
    match entry.event:
        case HandoverJoined(matched="signature" | "service") as event:
            return event
        case HandoverDeclined() | IncidentLinked(relation="problem") as event:
            return event
        case ProblemResolved() as event:
            return event
        case _:
            return None


@dataclass
class _Records:
    """The records concerned, including the effects of what was just decided."""

    log: EventLog
    cursor: Cursors
    context: Callable[[Problem], DecisionContext]
    states: dict[str, Versioned] = field(default_factory=dict)
    decided: list[AppendUnit] = field(default_factory=list)

    def take(self, event: _Concerned) -> None:
        """Decide what follows from an event."""
        match event:
            case HandoverJoined(incident=incident, problem=problem):
                self._decide(problem, incident, partial(_joined, event))
            case HandoverDeclined(incident=ref) | IncidentLinked(incident=ref):
                answered = self._record(Incident, ref)
                for each in sorted(answered.presumed_problems) if answered else ():
                    self._decide(each, ref, no_longer_presumed)
            case ProblemResolved(problem=problem):
                found = self._record(Problem, problem)
                for some in _parts(found.incidents if found else ()):
                    self._read(some)
                    for ref in some:
                        self._decide(problem, ref, _resolved)
            case _:
                assert_never(event)

    def _decide(self, problem: str, incident: str, rule: _Rule) -> None:
        """Apply a rule to two records; does nothing if one of them does not exist."""
        found = self._record(Problem, problem), self._record(Incident, incident)
        match found:
            case (Problem() as one, Incident() as other):
                events = rule(one, other, self.context(one))
            case _:
                return
        stored = tuple(
            self.log.stored(stream_of(ref_of(event)), version, event)
            for version, event in advance(self.states, events)
        )
        if stored:
            self.decided.append(AppendUnit(stored))

    def _record(self, kind: type[_Kind], ref: str) -> _Kind | None:
        self._read([ref])
        record = readable(self.states, ref).record
        return record if isinstance(record, kind) else None

    def _read(self, refs: Iterable[str]) -> None:
        missing = [ref for ref in refs if ref not in self.states]
        self.states |= replayed_records(self.log, self.cursor, missing)


def _joined(
    event: HandoverJoined,
    problem: Problem,
    incident: Incident,
    context: DecisionContext,
) -> Sequence[Joined]:
    if event.matched is None:
        return []
    certain = not event.to_be_confirmed
    return joined(problem, incident, event.matched, context, certain=certain)


def _resolved(
    problem: Problem, incident: Incident, context: DecisionContext
) -> Sequence[Joined]:
    return resolved_on_incident(incident, "problem", problem, context)


def _parts(items: Sequence[_Item]) -> Iterable[Sequence[_Item]]:
    """Split the items into chunks of at most `AT_ONCE_MAX`."""
    starts = range(0, len(items), AT_ONCE_MAX)
    return (items[start : start + AT_ONCE_MAX] for start in starts)
