"""What a service is made of that decides about incidents, and one case of it at work.

A *case* is what the service remembers of one incident. Both ways to a decision, an
event read and an instant reached, end in `decide`, which says what is so by then:
whoever is late decides what it would have decided in time, with the same instants.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from psycopg import Cursor
from pydantic import TypeAdapter

from shared.domain.events import AnyEvent
from shared.domain.identifiers import about
from shared.eventlog.entry import Entry

Case = TypeVar("Case")
Known = TypeVar("Known")
Cursors = Cursor[tuple[Any, ...]]

DECISIONS_MAX = 200
"""How many decisions one event may bring about before it is taken for a mistake."""


class NeverEnding(Exception):
    """A rule decides the same again and again: a mistake of ours."""


def _about_its_incident(_: Cursors, entry: Entry) -> Sequence[str]:
    incident = about(entry.stream)
    return [] if incident is None else [incident]


@dataclass(frozen=True)
class ProcessManager(Generic[Case, Known]):
    """The rules of a service, all pure, and where its cases are kept.

    `decide(case, until, at, known)` returns the next events that are true at `until`,
    in order, or none; it is asked again until it returns none. `at` is now. `next_at`
    is the instant at which it would say more if nothing happens.
    """

    schema: str
    """`<schema>.cases` is the table of the cases."""
    react: Callable[[Case | None, Entry], Case | None]
    """What an event of somebody else makes of a case."""
    evolve: Callable[[Case, AnyEvent], Case]
    """What a decision makes of it."""
    decide: Callable[[Case, datetime, datetime, Known], Sequence[AnyEvent]]
    next_at: Callable[[Case, Known], datetime | None]
    stream_of: Callable[[str, AnyEvent], str]
    """The stream in which a decision about an incident is recorded."""
    follows: Callable[[str], Sequence[str]]
    """The streams about an incident that a decision depends on, written by others."""
    owns: Callable[[str], Sequence[str]]
    """The streams about an incident that hold our decisions."""
    known: Callable[[Cursors, Sequence[str]], Known]
    """What else is to be known to decide about these incidents: policies and so on."""
    adapter: TypeAdapter[Case]
    """How a case is written down."""
    concerns: Callable[[Cursors, Entry], Sequence[str]] = _about_its_incident
    """The incidents an event has to do with."""


@dataclass
class Desk(Generic[Case, Known]):
    """One case on the table: what is decided about it is collected in `decided`.

    `versions` says how far each stream about the incident has been read or written.
    `said` are decisions of ours that the log holds and this case does not remember:
    its memory was lost, and is rebuilt. They stand, whatever we would decide today.
    """

    incident: str
    work: ProcessManager[Case, Known]
    known: Known
    case: Case | None
    versions: dict[str, int]
    decided: list[tuple[str, int, AnyEvent]] = field(default_factory=list)
    said: dict[tuple[str, int], AnyEvent] = field(default_factory=dict)

    def take(self, entry: Entry, at: datetime) -> None:
        """Decide what was due before `entry`, then what follows from it."""
        if entry.version <= self.versions.get(entry.stream, 0):
            return  # our own decision, or read before
        if entry.stream in self.work.owns(self.incident):
            self._remember(entry.stream, entry.version, entry.event)
            return  # our own, of which we had lost the memory
        self.reach(entry.recorded_at, at)
        self.versions[entry.stream] = entry.version
        self.case = self.work.react(self.case, entry)
        self.reach(entry.recorded_at, at)

    def reach(self, until: datetime, at: datetime) -> None:
        """Decide what is so at `until`. Raises `NeverEnding`."""
        for _ in range(DECISIONS_MAX):
            if self.case is None:
                return
            events = self.work.decide(self.case, until, at, self.known)
            if not events:
                return
            for event in events:
                if not self._decide(event):
                    break  # on what the log says instead, decide again
        raise NeverEnding(f"{self.work.schema} decides on {self.incident} for ever")

    def record(self, event: AnyEvent) -> None:
        """Make `event` the newest of its stream."""
        stream = self.work.stream_of(self.incident, event)
        version = self.versions.get(stream, 0) + 1
        self.decided.append((stream, version, event))
        self._remember(stream, version, event)

    def _decide(self, event: AnyEvent) -> bool:
        """Record `event`, unless the log says already what came then; tell if it is so.

        A command may have come between, or the rules may have been others.
        """
        stream = self.work.stream_of(self.incident, event)
        version = self.versions.get(stream, 0) + 1
        said = self.said.get((stream, version))
        if said is None:
            self.record(event)
            return True
        self._remember(stream, version, said)
        return said == event.model_copy(update={"at": said.at})

    def _remember(self, stream: str, version: int, event: AnyEvent) -> None:
        self.versions[stream] = version
        if self.case is not None:
            self.case = self.work.evolve(self.case, event)

    def next_at(self) -> datetime | None:
        """Return when to look again, None if only an event can change anything."""
        return None if self.case is None else self.work.next_at(self.case, self.known)

    def expected(self, before: Mapping[str, int]) -> dict[str, int]:
        """Return the streams the decisions depend on, as they were read before."""
        return {
            stream: before.get(stream, 0) for stream in self.work.follows(self.incident)
        }
