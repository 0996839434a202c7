"""The SLA watcher and escalation in this process, on a real PostgreSQL and one clock.

What happens to incidents is recorded as intake would; nothing leaves the desk.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.escalation.process import BOOKMARK, casework
from services.escalation.rules.case import Case
from services.escalation.rules.context import EscalationContext
from shared.domain.identifiers import handover_stream, incident_ref
from shared.eventlog.log import EventLog, Row
from shared.eventlog.policies import PolicyVersions
from shared.eventlog.readers.position import Tracked
from shared.eventlog.readers.transaction import Part, apply_rows
from shared.process_manager import Worker
from shared.vault.master_keys import MasterKeys
from tests.support.desks.watching import SlaDesk, sla_desk
from tests.support.servers.servers import Database

Help = Worker[Case, EscalationContext]


@dataclass
class HelpingDesk:
    """A desk whose watcher is `sla`; escalation reads when the test says so."""

    sla: SlaDesk
    log: EventLog = field(init=False)
    worker: Help = field(init=False)

    def __post_init__(self) -> None:
        dsn = self.sla.database.dsn("desk_escalation")
        self.log = EventLog.open(
            dsn, master=MasterKeys((bytes(32),)), clock=self.sla.clock, pool_size=4
        )
        self.worker = self.another()

    def another(self) -> Help:
        """Return one more of them, that remembers nothing by itself."""
        work = casework(self.log, PolicyVersions(self.log), webhook=False)
        return Worker(work, self.log, self.sla.clock)

    def read(self, worker: Help | None = None, batch: int = 200) -> None:
        """Let escalation read the log to its end."""
        while self.read_some(batch, worker):
            pass

    def read_some(self, limit: int, worker: Help | None = None) -> int:
        """Let it read so many events; return how many there were."""
        tracked, rows = self.ahead(limit)
        if rows:
            self.take(tracked, rows, worker)
        return len(rows)

    def ahead(self, limit: int) -> tuple[Tracked, Sequence[Row]]:
        """Return where it is in the log, and what comes next."""
        with self.log.transaction() as cursor:
            tracked = BOOKMARK.start(cursor)
        return tracked, self.log.rows_since(tracked.position, limit)

    def take(
        self, tracked: Tracked, rows: Sequence[Row], worker: Help | None = None
    ) -> None:
        """Let it take these in. Raises `Overtaken` where another did before."""
        apply = (worker or self.worker).apply
        apply_rows(self.log, Part(BOOKMARK, apply, tracked), rows)

    def walk(self, until: datetime) -> None:
        """Let time pass for the watcher, and escalation read what it said."""
        self.sla.walk(until)
        self.read()

    def forget(self) -> None:
        """Empty all that escalation remembers."""
        self.sla.tell(
            "TRUNCATE escalation.cases, escalation.tracking, escalation.parked,"
            " escalation.breaches, escalation.problems, escalation.problem_incidents,"
            " escalation.recurrences, escalation.outages, escalation.crossings,"
            " escalation.waiting_handovers"
        )

    def said(self, number: int) -> list[dict[str, Any]]:
        """Return what was said of the service of an incident, but for `at`."""
        said = self.handed_over(number)
        return [each for each in said if each["type"].startswith("handover.service_")]

    def handed_over(self, number: int) -> list[dict[str, Any]]:
        """Return what was said of the hand-over of an incident, but for `at`."""
        return [
            entry.event.model_dump(exclude={"at"})
            for entry in self.log.history(handover_stream(incident_ref(number)))
        ]


@contextmanager
def helping_desk(
    database: Database, at: str | datetime, policy: str = ""
) -> Iterator[HelpingDesk]:
    """Give such a desk that shows `at`, by default with the policy of Valmont."""
    with sla_desk(database, at, policy) as sla:
        desk = HelpingDesk(sla)
        try:
            yield desk
        finally:
            desk.log.close()
