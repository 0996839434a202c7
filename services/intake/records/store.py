"""Reads incidents, problems and changes: replays their streams, and caches the states.

A cached state is used only if the database says that its stream still ends with the
same event: same version and same chain hash, since a restored log assigns versions
again. States are cached only after their transaction was committed.

A record may be unreadable: a later version wrote an event of an unknown type, an
encryption key is missing, or stored data was tampered with. None of these need be
permanent. Only those who need that record have to wait.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from shared.database.cursors import Cursors
from shared.domain.incident import Incident
from shared.domain.record import (
    Record,
    RecordEvent,
    evolved,
    record_of,
    ref_of,
    replayed,
    stream_of,
)
from shared.eventlog.entry import Entry
from shared.eventlog.histories import Unreadable, histories
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import NO_TIP, StreamTip, tips_of
from shared.http.problem_details import HttpError
from shared.observability.telemetry import wordless

CODE = "record_unreadable"
RETRY_SECONDS = 60
"""The value of `Retry-After`: an upgrade or a restored key takes some time."""
KEY_ROW = "key "
"""Prefix for the row of a key whose held signal cannot be decrypted."""


class RecordUnreadable(HttpError):
    """The answer if a record that is needed cannot be read at present."""

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
    """A record at a version of its stream; 0 and None if it does not exist.

    `unreadable` says why the stream cannot be read; `record` is None in that case.
    """

    version: int
    record: Record | None
    chain: bytes = field(default=b"", compare=False)
    """Hash of its last event; empty if that is not recorded yet."""
    unreadable: str | None = None

    @property
    def incident(self) -> Incident | None:
        """The record, if it is an incident."""
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
    """Advance `states` by `events`; return each event with its version.

    Raises `RecordUnreadable`, without changing anything, if one of the records cannot
    be read.
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
    """A cache of the most recently used records."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._kept: OrderedDict[str, Versioned] = OrderedDict()
        log.continuity.drop_with(self.drop)

    def drop(self) -> None:
        """Discard every state: the log may have been replaced."""
        self._kept = OrderedDict()  # the old one may be in use

    def read(self, cursor: Cursors, refs: Iterable[str]) -> dict[str, Versioned]:
        """Return the current state of each record, reading only streams that moved.

        A record that cannot be read is returned as `unreadable`, and tried again next
        time.
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
        """Cache committed states; the least recently used ones are evicted."""
        kept = self._kept
        for ref, state in states.items():
            chain = state.chain or self._chain(ref, state.version)
            if chain and state.unreadable is None:
                kept[ref] = replace(state, chain=chain)
                kept.move_to_end(ref)
        while len(kept) > KEPT_MAX:
            kept.popitem(last=False)

    def _chain(self, ref: str, version: int) -> bytes:
        """Return the hash of an event recorded by this process; empty if unknown."""
        tip = self._log.continuity.tip(stream_of(ref), version)
        return tip.chain if tip else b""


def replayed_records(
    log: EventLog, cursor: Cursors, refs: Iterable[str]
) -> dict[str, Versioned]:
    """Return each existing record, replayed from its whole stream.

    For single look-ups without a cache.
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
        record = replayed(entry.event for entry in history)  # type: ignore[misc]  # a stream holds its own events only
    except Exception as error:  # noqa: BLE001 # it concerns this record only
        return Versioned(version, None, unreadable=wordless(error))
    return Versioned(version, record)
