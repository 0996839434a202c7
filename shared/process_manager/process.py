"""The definition of a service that decides about incidents, and a case at work.

A *case* is the service's state of one incident. Both causes of a decision, an event
that was read and an instant that was reached, end in `decide`, which returns what is
true by then: a late process decides the same as in time, with the same instants.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from shared.database.cursors import Cursors
from shared.domain.events import AnyEvent
from shared.domain.identifiers import about
from shared.eventlog.entry import Entry
from shared.eventlog.readers.position import Bookmark
from shared.process_manager.progress import Progress

Case = TypeVar("Case")
Known = TypeVar("Known")

PORTION_MAX = 2_000
"""How many decisions about one incident a transaction that the clock started makes."""


class NeverEnding(Exception):
    """A rule makes the same decision again and again: a bug."""


def _about_its_incident(_: Cursors, entry: Entry) -> Sequence[str]:
    incident = about(entry.stream)
    return [] if incident is None else [incident]


@dataclass(frozen=True)
class ProcessManager(Generic[Case, Known]):
    """The rules of a service, all pure, and its reader.

    `decide(case, until, at, known)` returns the next events that are true at `until`,
    in order; it is called again until it returns none. `at` is now. `next_at` is the
    instant at which it would return more if nothing happens before.
    """

    bookmark: Bookmark
    """Of its reader; `cases` in the same schema is the table of the cases."""
    react: Callable[[Case | None, Entry], Case | None]
    """Applies an event of another service to a case."""
    evolve: Callable[[Case, AnyEvent], Case]
    """Applies a decision to a case."""
    decide: Callable[[Case, datetime, datetime, Known], Sequence[AnyEvent]]
    next_at: Callable[[Case, Known], datetime | None]
    stream_of: Callable[[str, AnyEvent], str]
    """Returns the stream in which a decision about an incident is recorded."""
    follows: Callable[[str], Sequence[str]]
    """Returns the streams of other services on which decisions about it depend."""
    owns: Callable[[str], Sequence[str]]
    """Returns the streams about an incident that contain this service's decisions."""
    known: Callable[[Cursors, Sequence[str]], Known]
    """Returns further data for decisions about these incidents, such as policies."""
    adapter: TypeAdapter[Case]
    """Serializes a case."""
    concerns: Callable[[Cursors, Entry], Sequence[str]] = _about_its_incident
    """Returns the incidents that an event concerns."""
    note: Callable[[Known, AnyEvent], object] = lambda _known, _decision: None
    """Keeps what decisions about other incidents have to know of a decision, in the
    transaction that stores it with its case, which is locked."""

    @property
    def schema(self) -> str:
        """The schema of the cases."""
        return self.bookmark.schema


@dataclass
class Desk(Generic[Case, Known]):
    """One case at work; decisions about it are collected in `decided`.

    `versions` are those up to which each stream about the incident was read or written.
    `said` are decisions of this service that the log contains but this case does not,
    because its state was lost and is being rebuilt. They remain valid, regardless of
    what the rules would decide today. `skipped` are those that an administrator had the
    reader skip: their versions are used up, and nothing was decided.
    """

    incident: str
    work: ProcessManager[Case, Known]
    known: Known
    case: Case | None
    versions: dict[str, int]
    decided: list[tuple[str, int, AnyEvent]] = field(default_factory=list)
    said: dict[tuple[str, int], AnyEvent] = field(default_factory=dict)
    skipped: set[tuple[str, int]] = field(default_factory=set)
    changed: bool = field(default=False, init=False)
    """Whether an entry was applied that the case did not contain."""

    def take(self, entry: Entry, at: datetime) -> None:
        """Decide what was due before `entry`, then apply it and decide what follows."""
        if entry.version <= self.versions.get(entry.stream, 0):
            return  # this service's own decision, or read before
        self.changed = True
        if (entry.stream, entry.version) in self.skipped:
            self.versions[entry.stream] = entry.version
            return  # nothing was decided by it, also if it can be read by now
        if entry.stream in self.work.owns(self.incident):
            self._remember(entry.stream, entry.version, entry.event)
            return  # its own decision that the case had lost
        self.reach(entry.recorded_at, at)
        self.versions[entry.stream] = entry.version
        self.case = self.work.react(self.case, entry)
        self.reach(entry.recorded_at, at)

    def reach(self, until: datetime, at: datetime, most: int | None = None) -> bool:
        """Make all decisions that are true at `until`, or `most` of them.

        Returns whether these were all. Raises `NeverEnding`.
        """
        progress = Progress(self.next_at)
        for number in count():
            if self.case is None:
                return True
            if number == most:
                return False
            events = self.work.decide(self.case, until, at, self.known)
            if not events:
                return True
            if not progress.goes_on():
                break
            for event in events:
                if not self._decide(event):
                    break  # the log has another decision: decide again
        raise NeverEnding(f"{self.work.schema} decides on {self.incident} for ever")

    def record(self, event: AnyEvent) -> None:
        """Append `event` to its stream in memory."""
        stream = self.work.stream_of(self.incident, event)
        version = self._next_version(stream)
        self.decided.append((stream, version, event))
        self._remember(stream, version, event)

    def _decide(self, event: AnyEvent) -> bool:
        """Record `event`, or what the log has instead; return whether they agree.

        A command may have come in between, or the rules may have been different.
        """
        stream = self.work.stream_of(self.incident, event)
        version = self._next_version(stream)
        said = self.said.get((stream, version))
        if said is None:
            self.record(event)
            return True
        self._remember(stream, version, said)
        return said == event.model_copy(update={"at": said.at})

    def _next_version(self, stream: str) -> int:
        version = self.versions.get(stream, 0) + 1
        while (stream, version) in self.skipped:
            version += 1
        return version

    def _remember(self, stream: str, version: int, event: AnyEvent) -> None:
        self.versions[stream] = version
        if self.case is not None:
            self.case = self.work.evolve(self.case, event)
        self.work.note(self.known, event)

    def next_at(self) -> datetime | None:
        """Return the next due instant, None if only an event can change anything."""
        return None if self.case is None else self.work.next_at(self.case, self.known)

    def expected(self, before: Mapping[str, int]) -> dict[str, int]:
        """Return the streams on which the decisions depend, with the versions read."""
        return {
            stream: before.get(stream, 0) for stream in self.work.follows(self.incident)
        }
