"""States of records kept in memory, each good for one version of one history only.

A state is used after the database said that its stream still ends with the same event:
the same version with the same chain hash, for a restored log gives versions again. It
is put here only once the transaction that made it is committed.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from psycopg import Cursor

from services.intake.histories import Unreadable, histories
from services.intake.records import (
    Record,
    RecordEvent,
    evolved,
    record_of,
    ref_of,
    replayed,
    stream_of,
)
from services.intake.unreadable import RecordUnreadable
from shared.domain.incident import Incident
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import NO_TIP, StreamTip, tips_of
from shared.observability.telemetry import wordless

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
