"""Incident states kept in memory, each good for the version it was read at only.

A state is used after the database said that its stream still has that version, and
put here only once the transaction that made it is committed.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from psycopg import Cursor

from shared.entry import Entry
from shared.event_log import EventLog
from shared.events import IncidentEvent
from shared.incident import Incident, evolve, replay
from shared.recorder import versions
from shared.references import incident_stream

KEPT_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Versioned:
    """An incident as it is at a version of its stream; 0 and None before it opens."""

    version: int
    incident: Incident | None


UNOPENED = Versioned(0, None)


def advance(
    states: dict[str, Versioned], events: Sequence[IncidentEvent]
) -> list[tuple[int, IncidentEvent]]:
    """Move `states` past `events`; return each with the version it gets."""
    versioned: list[tuple[int, IncidentEvent]] = []
    for event in events:
        held = states.get(event.incident, UNOPENED)
        after = Versioned(held.version + 1, evolve(held.incident, event))
        states[event.incident] = after
        versioned.append((after.version, event))
    return versioned


class IncidentCache:
    """The incidents used last."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._kept: OrderedDict[str, Versioned] = OrderedDict()

    def read(
        self, cursor: Cursor[tuple[Any, ...]], refs: Iterable[str]
    ) -> dict[str, Versioned]:
        """Return each incident as it now is, reading only streams that moved."""
        wanted = sorted(set(refs))
        if not wanted:
            return {}
        current = versions(cursor, [incident_stream(ref) for ref in wanted])
        states: dict[str, Versioned] = {}
        moved: list[str] = []
        for ref in wanted:
            held = self._kept.get(ref)
            now = current[incident_stream(ref)]
            if held is not None and held.version == now:
                states[ref] = held
            elif now == 0:
                states[ref] = UNOPENED
            else:
                moved.append(ref)
        states.update(self._replayed(cursor, moved))
        return states

    def keep(self, states: Mapping[str, Versioned]) -> None:
        """Remember committed states; the ones not used for longest go."""
        for ref, state in states.items():
            self._kept[ref] = state
            self._kept.move_to_end(ref)
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)

    def _replayed(
        self, cursor: Cursor[tuple[Any, ...]], refs: list[str]
    ) -> dict[str, Versioned]:
        if not refs:
            return {}
        entries = self._log.histories(cursor, [incident_stream(ref) for ref in refs])
        by_stream = groupby(entries, key=attrgetter("stream"))
        states = [_folded(list(group)) for _, group in by_stream]
        return {state.incident.ref: state for state in states if state.incident}


def _folded(entries: list[Entry]) -> Versioned:
    return Versioned(
        entries[-1].version,
        replay(entry.event for entry in entries),  # type: ignore[misc] # an incident stream holds incident events only
    )
