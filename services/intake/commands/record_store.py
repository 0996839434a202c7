"""What intake alone writes: incidents, problems and changes, a stream each.

States of records kept in memory, each good for one version of one history only.

A state is used after the database said that its stream still ends with the same event:
the same version with the same chain hash, for a restored log gives versions again. It
is put here only once the transaction that made it is committed.

Histories of several streams, read so that an unreadable one fails alone.

A record that this version cannot read: whoever needs it waits, nobody else does.

A later version wrote an event of a type unknown here, a key of the vault is missing, or
stored words were changed. None of these is for ever.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeVar

from psycopg import Cursor
from typing_extensions import TypeIs

from shared.domain import change, problem
from shared.domain import incident as domain_incident
from shared.domain.change import Change
from shared.domain.events import AnyEvent, ChangeEvent, IncidentEvent, ProblemEvent
from shared.domain.identifiers import (
    change_ref,
    change_stream,
    incident_ref,
    incident_stream,
    problem_ref,
    problem_stream,
)
from shared.domain.incident import Incident
from shared.domain.problem import Problem
from shared.eventlog.entry import Entry
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog, Row
from shared.eventlog.recorder import NO_TIP, StreamTip, tips_of
from shared.http.problem_details import HttpError
from shared.observability.telemetry import wordless

Record = Incident | Problem | Change
RecordEvent = IncidentEvent | ProblemEvent | ChangeEvent

REF_OF_NUMBER: Mapping[str, Callable[[int], str]] = {
    "incident": incident_ref,
    "problem": problem_ref,
    "change": change_ref,
}
"""How records of each kind are called."""
_STREAM_OF: Mapping[str, Callable[[str], str]] = {
    "PRB": problem_stream,
    "CHG": change_stream,
}


def ref_of(event: RecordEvent) -> str:
    """Return the record an event happened to."""
    if is_problem_event(event):
        return event.problem
    if is_change_event(event):
        return event.change
    return event.incident


def stream_of(ref: str) -> str:
    """Return the stream of a record: `PRB-000001` → `problem-PRB-000001`."""
    return _STREAM_OF.get(ref[:3], incident_stream)(ref)


def record_of(stream: str) -> str:
    """Return the record whose stream this is."""
    return stream.partition("-")[2]


def evolved(record: Record | None, event: RecordEvent) -> Record:
    """Return the record after one of its events."""
    if is_problem_event(event):
        assert not isinstance(record, Incident | Change)  # noqa: S101 # it is in its stream
        return problem.evolve(record, event)
    if is_change_event(event):
        assert not isinstance(record, Incident | Problem)  # noqa: S101 # as above
        return change.evolve(record, event)
    assert not isinstance(record, Problem | Change)  # noqa: S101 # as above
    return domain_incident.evolve(record, event)


def replayed(history: Iterable[RecordEvent]) -> Record | None:
    """Return the record after its events, None if nothing happened yet."""
    record: Record | None = None
    for event in history:
        record = evolved(record, event)
    return record


def is_problem_event(event: AnyEvent) -> TypeIs[ProblemEvent]:
    """Tell whether an event is one of a problem's own stream."""
    return event.type.startswith("problem.")


def is_change_event(event: AnyEvent) -> TypeIs[ChangeEvent]:
    """Tell whether an event is one of a change's own stream."""
    return event.type.startswith("change.")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A stream that cannot be read: the version it is at, and why, without words."""

    version: int
    why: str


def histories(
    log: EventLog, cursor: Cursor[tuple[Any, ...]], streams: Sequence[str]
) -> Mapping[str, list[Entry] | Unreadable]:
    """Return the entries of each stream that exists, in order.

    Raises `Unavailable` only: whatever else is wrong with a stream is its own problem.
    """
    rows = log.stored_histories(cursor, streams)
    by_stream = {
        name: list(group) for name, group in groupby(rows, key=attrgetter("stream"))
    }
    try:
        log.learn(rows)
    except Unavailable:
        raise
    except Exception:  # noqa: BLE001, S110 # one key of many: its stream tells
        pass
    return {name: _read(log, rows) for name, rows in by_stream.items()}


def _read(log: EventLog, rows: Sequence[Row]) -> list[Entry] | Unreadable:
    try:
        return log.entries(rows)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 # whatever it is, it is this stream's
        return Unreadable(rows[-1].version, wordless(error))


CODE = "record_unreadable"
RETRY_SECONDS = 60
"""What `Retry-After` says: an upgrade, or a key put back, takes some time."""
KEY_ROW = "key "
"""Begins what the row of a key is called here: its stored words cannot be opened."""


class RecordUnreadable(HttpError):
    """The answer to whoever needs a record that cannot be read at present."""

    def __init__(self, ref: str, why: str) -> None:
        self.ref = ref
        self.sentence = f"{ref} cannot be read at present: {why}"
        super().__init__(
            503,
            f"{self.sentence}. Nothing was recorded: send it again later",
            code=CODE,
            retry_after=RETRY_SECONDS,
        )


KEPT_MAX = 20_000
Happened = TypeVar("Happened", bound=RecordEvent)


@dataclass(frozen=True, slots=True)
class Versioned:
    """A record as it is at a version of its stream; 0 and None before it begins.

    `unreadable` says why its stream cannot be read; then there is no record either.
    """

    version: int
    record: Record | None
    chain: bytes = field(default=b"", compare=False)
    """Hash of its last event; empty while that is not recorded."""
    unreadable: str | None = None

    @property
    def incident(self) -> Incident | None:
        """The record, where it is an incident."""
        return self.record if isinstance(self.record, Incident) else None


UNOPENED = Versioned(0, None)


def readable(states: Mapping[str, Versioned], ref: str) -> Versioned:
    """Return the state of a record; raises `RecordUnreadable`."""
    held = states.get(ref, UNOPENED)
    if held.unreadable is not None:
        raise RecordUnreadable(ref, held.unreadable)
    return held


def advance(
    states: dict[str, Versioned], events: Sequence[Happened]
) -> list[tuple[int, Happened]]:
    """Move `states` past `events`; return each with the version it gets.

    Raises `RecordUnreadable`, and has moved nothing, if one of the records cannot be
    read.
    """
    for event in events:
        readable(states, ref_of(event))
    versioned: list[tuple[int, Happened]] = []
    for event in events:
        ref = ref_of(event)
        held = states.get(ref, UNOPENED)
        after = Versioned(held.version + 1, evolved(held.record, event))
        states[ref] = after
        versioned.append((after.version, event))
    return versioned


class RecordCache:
    """The records used last."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._kept: OrderedDict[str, Versioned] = OrderedDict()
        log.continuity.drop_with(self.drop)

    def drop(self) -> None:
        """Forget every state: the log may be another one."""
        self._kept = OrderedDict()  # a thread may be about to put one into the old one

    def read(
        self, cursor: Cursor[tuple[Any, ...]], refs: Iterable[str]
    ) -> dict[str, Versioned]:
        """Return each record as it now is, reading only streams that moved.

        A record that cannot be read is `unreadable`, and tried again the next time.
        """
        wanted = sorted(set(refs))
        if not wanted:
            return {}
        current = tips_of(cursor, [stream_of(ref) for ref in wanted])
        states: dict[str, Versioned] = {}
        moved: list[str] = []
        for ref in wanted:
            held = self._kept.get(ref)
            now = current[stream_of(ref)]
            if held is not None and StreamTip(held.version, held.chain) == now:
                states[ref] = held
            elif now == NO_TIP:
                states[ref] = UNOPENED
            else:
                moved.append(ref)
        for ref, state in replayed_records(self._log, cursor, moved).items():
            tip = current[stream_of(ref)]
            chain = tip.chain if tip.version == state.version else b""
            states[ref] = replace(state, chain=chain)
        return states

    def keep(self, states: Mapping[str, Versioned]) -> None:
        """Remember committed states; the ones not used for longest go."""
        kept = self._kept
        for ref, state in states.items():
            chain = state.chain or self._chain(ref, state.version)
            if chain and state.unreadable is None:
                kept[ref] = replace(state, chain=chain)
                kept.move_to_end(ref)
        while len(kept) > KEPT_MAX:
            kept.popitem(last=False)

    def _chain(self, ref: str, version: int) -> bytes:
        """Return the hash of an event that this process recorded, empty if unknown."""
        tip = self._log.continuity.tip(stream_of(ref), version)
        return tip.chain if tip else b""


def replayed_records(
    log: EventLog, cursor: Cursor[tuple[Any, ...]], refs: Iterable[str]
) -> dict[str, Versioned]:
    """Return each record that exists, replayed from its whole stream.

    For whoever looks once: a cache lives as long as its log.
    """
    streams = [stream_of(ref) for ref in refs]
    if not streams:
        return {}
    found = histories(log, cursor, streams)
    return {record_of(name): _folded(history) for name, history in found.items()}


def _folded(history: list[Entry] | Unreadable) -> Versioned:
    if isinstance(history, Unreadable):
        return Versioned(history.version, None, unreadable=history.why)
    version = history[-1].version
    try:
        record = replayed(entry.event for entry in history)  # type: ignore[misc] # its stream holds its own events only
    except Exception as error:  # noqa: BLE001 # whatever it is, it is this record's
        return Versioned(version, None, unreadable=wordless(error))
    return Versioned(version, record)
