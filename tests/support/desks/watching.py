"""A watcher in this process on a real PostgreSQL, with a clock the test moves.

What happens to incidents is recorded as intake would; `read` is the reader's part,
`wake` the alarm's, each when the test says so.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from services.sla_watcher.app import BOOKMARK, casework
from services.sla_watcher.clocks.case import Case, PolicyOf
from services.sla_watcher.policy_moves.worker import PolicyMove
from shared.clock import Setting
from shared.domain.commands.policy_moves import MovedIncident, MovePromises
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import IncidentOpened
from shared.domain.identifiers import incident_ref, incident_stream, sla_stream
from shared.eventlog.append import AppendUnit, Recorded
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.eventlog.readers.transaction import Part, apply_rows
from shared.eventlog.recorder import versions as current_versions
from shared.messaging.commands import CommandRequest
from shared.process_manager import ProcessManager, Worker
from shared.vault.master_keys import MasterKeys
from tests.support.builders.promises import FILE, local
from tests.support.servers.servers import Database

BATCH = 200
ROUNDS = 100
SIGNED = Signature(by="root", reason="for a test")
Watcher = Worker[Case, PolicyOf]
Said = list[tuple[int, str, dict[str, Any]]]


@dataclass(frozen=True)
class ShownClock:
    """A clock that is set whenever `now` returns another instant."""

    now: Callable[[], datetime]

    def __call__(self) -> datetime:
        """Return the instant that it shows."""
        return self.now()

    def setting(self) -> Setting:
        """Return how it is set."""
        return Setting(self.now(), runs=False)


@dataclass
class SlaDesk:
    """The logs of intake and of the watcher, both on the clock `now`."""

    database: Database
    now: datetime
    policy: str = ""
    intake: EventLog = field(init=False)
    log: EventLog = field(init=False)
    worker: Watcher = field(init=False)

    def __post_init__(self) -> None:
        self.applies(self.policy or Path(FILE).read_text(encoding="utf-8"))
        self.intake = self._open("desk_intake", master=MasterKeys((bytes(32),)))
        self.log = self._open("desk_sla_watcher", master=MasterKeys((bytes(32),)))
        self.worker = self.another()

    def applies(self, text: str) -> None:
        """Put a policy in force: the first, or another."""
        owner = EventLog.open(self.database.owner_dsn, clock=self.clock, pool_size=1)
        done = policy_store.apply(owner, text, SIGNED, self.now, "test")
        assert isinstance(done, Applied), done
        owner.close()

    def moves(self, wish: MovePromises, number: int = 1) -> MovedIncident | None:
        """Let Sylvie move the promises about an incident to another policy."""
        policies = PolicyVersions(self.log)
        worker = self.another(casework(self.log, policies))
        moving = PolicyMove(self.log, worker, self.clock, policies)
        request = CommandRequest[MovePromises](
            actor="person:sylvie", scopes=("agent", "manager"), body=wish
        )
        moving.begin(request)
        return moving.one(request, incident_ref(number))

    def _open(self, role: str, master: MasterKeys | None = None) -> EventLog:
        dsn = self.database.dsn(role)
        return EventLog.open(dsn, master=master, clock=self.clock, pool_size=6)

    def close(self) -> None:
        """Give the connections back."""
        self.intake.close()
        self.log.close()

    @property
    def clock(self) -> ShownClock:
        """The clock that the test sets."""
        return ShownClock(lambda: self.now)

    def another(self, work: ProcessManager[Case, PolicyOf] | None = None) -> Watcher:
        """Return one more watcher, with the rules of the house or others."""
        return Worker(work or casework(self.log), self.log, self.clock)

    def happens(self, *events: IncidentEvent) -> None:
        """Record events, each in the stream of its incident, now."""
        for first in range(0, len(events), 900):
            self._append(events[first : first + 900])

    def _append(self, events: Sequence[IncidentEvent]) -> None:
        streams = [incident_stream(event.incident) for event in events]
        with self.intake.transaction() as cursor:
            versions = dict(current_versions(cursor, sorted(set(streams))))
            members = []
            for stream, event in zip(streams, events, strict=True):
                versions[stream] = versions.get(stream, 0) + 1
                owned = event.model_copy(update={"whose": event.whose or event.by})
                stored = self.intake.stored(stream, versions[stream], owned)
                members.append(AppendUnit((stored,)))
            outcomes = self.intake.append(cursor, members)
        assert all(isinstance(outcome, Recorded) for outcome in outcomes)

    def read(self, worker: Watcher | None = None, batch: int = BATCH) -> None:
        """Let the watcher read the log to its end."""
        while self.read_some(batch, worker):
            pass

    def read_some(self, limit: int, worker: Watcher | None = None) -> list[str]:
        """Let it read so many events; return their streams. Raises `StaleVersion`."""
        with self.log.transaction() as cursor:
            tracked = BOOKMARK.start(cursor)
        rows = self.log.rows_since(tracked.position, limit)
        if rows:
            apply = (worker or self.worker).apply
            apply_rows(self.log, Part(BOOKMARK, apply, tracked), rows)
        return [row.stream for row in rows]

    def wake(self) -> int:
        """Let the watcher decide until nothing is due; return how many were due."""
        due = 0
        for _ in range(ROUNDS):
            woken = self.worker.wake().due
            due += woken
            if woken == 0:
                return due
        raise AssertionError(f"still due after {ROUNDS} rounds")

    def walk(self, until: datetime) -> None:
        """Move the clock from due instant to due instant, up to `until`."""
        self.read()
        while (due := self.worker.next_at()) is not None and due <= until:
            self.now = max(self.now, due)
            assert self.wake()
            self.read()
        self.now = until

    def forget(self) -> None:
        """Empty what the watcher remembers, as an operator may."""
        self.tell("TRUNCATE sla.cases, sla.tracking, sla.parked")

    def tell(self, statement: str, *values: object) -> None:
        """Run a statement as the owner."""
        with psycopg.connect(self.database.owner_dsn) as connection:
            connection.execute(statement, values)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return what the owner is answered."""
        with psycopg.connect(self.database.owner_dsn) as connection:
            return connection.execute(query).fetchall()

    def cases(self) -> list[tuple[Any, ...]]:
        """Return what the watcher remembers."""
        return self.ask(
            "SELECT incident, next_at, versions, state FROM sla.cases ORDER BY incident"
        )

    def said(self, number: int = 1) -> Said:
        """Return what the log holds about promises of an incident, but for `at`."""
        return [
            (entry.version, entry.type, entry.event.model_dump(exclude={"at"}))
            for entry in self.log.history(sla_stream(incident_ref(number)))
        ]

    def types(self, number: int = 1) -> list[str]:
        """Return the same in short: `tto armed`."""
        return [
            f"{words.get('target', 'all')} {type_.removeprefix('sla.')}"
            for _, type_, words in self.said(number)
        ]


@contextmanager
def sla_desk(
    database: Database, at: str | datetime, policy: str = ""
) -> Iterator[SlaDesk]:
    """Give such a desk that shows `at`, by default with the policy of Valmont."""
    desk = SlaDesk(database, local(at) if isinstance(at, str) else at, policy)
    try:
        yield desk
    finally:
        desk.close()


def opened(number: int, at: datetime, **words: Any) -> IncidentOpened:
    """Return that an incident was opened: monitoring's, on payroll, P2."""
    given: dict[str, Any] = {
        "incident": incident_ref(number),
        "policy": 1,
        "origin": "monitoring",
        "title": "Paie en panne",
        "service": "paie",
        "impact": "high",
        "urgency": "medium",
        "priority": "p2",
        "team": "desk",
        "source": "prometheus",
        "reported_at": at,
        "at": at,
        "by": "source:prometheus",
    }
    return IncidentOpened(**(given | words))


def happened(kind: type[Any], number: int, at: datetime, **words: Any) -> Any:
    """Return something a person of the desk did."""
    common = {
        "incident": incident_ref(number),
        "policy": 1,
        "at": at,
        "by": "person:nadia",
    }
    return kind(**(common | words))


MINUTE = timedelta(minutes=1)
