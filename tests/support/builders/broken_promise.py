"""The story of a promise nobody keeps, on a whole desk, and what is left of it.

Monday 30 June 2025 in Paris, payroll, P2. Monitoring opens it, nobody acknowledges, the
desk keeps it too long, pages go out, the time to resolve passes, Problem Management is
asked; a user calls; it is repaired, and closed after silence.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import psycopg

from demo.desk import verify_addresses
from services.intake.directory.store import import_people
from shared.domain.events import AnyEvent
from tests.support.builders.promises import FILE, local
from tests.support.desks.lever_walk import next_due, settle
from tests.support.desks.running import TWIN, Desk, Setting, running_desk
from tests.support.mail.smtp_server import Inbox, open_inbox
from tests.support.patience import SECONDS
from tests.support.servers.webhook_receiver import Postbox, open_postbox

PROCESSES = (
    "intake",
    "sla_watcher",
    f"sla_watcher{TWIN}",
    "escalation",
    f"escalation{TWIN}",
    "projections",
)
STAFF = ("nadia", "paul", "sylvie", "amina", "bruno", "chloe", "karim", "helene")
Mischief = Callable[["Story"], None]
Timeline = dict[str, list[AnyEvent]]


@dataclass
class Story:
    """A desk with a mail server and a receiver of pages, and one incident."""

    desk: Desk
    inbox: Inbox
    postbox: Postbox
    mischief: Mischief = lambda _: None
    incident: str = ""
    commands: int = 0
    steps: list[datetime] = field(default_factory=list)

    def until(self, when: str) -> None:
        """Move the lever from due instant to due instant, up to a local time."""
        instant = local(when)
        while (due := next_due(self.desk)) is not None and due < instant:
            self._move(due)
        self._move(instant)

    def _move(self, instant: datetime) -> None:
        self.desk.move_to(instant)
        self.steps.append(instant)
        self.mischief(self)
        settle(self.desk)

    def post(self, url: str, who: str, **body: Any) -> dict[str, Any]:
        """Send a request until it is answered, always under the same key."""
        self.commands += 1
        headers = self.desk.bearer(who) | {"Idempotency-Key": f"step-{self.commands}"}
        deadline = time.monotonic() + SECONDS
        while True:
            answer = _tried(url, headers, body)
            if answer is not None and answer.is_success:
                settle(self.desk)
                return dict(answer.json())
            assert answer is None or answer.status_code in (429, 503), answer.text
            assert time.monotonic() < deadline, f"{url} is not answered"

    def command(self, verb: str, **body: Any) -> None:
        """Let an agent do something to the incident."""
        incident = f"{self.desk.api_url}/v1/incidents/{self.incident}"
        self.post(f"{incident}/{verb}", "agent", **body)

    def play(self) -> None:
        """Play it from the first signal to the end."""
        self.until("09:10")
        heard = self.post(
            f"{self.desk.intake_url}/v1/events",
            "source",
            event_id="first",
            dedup_key="paie",
            action="trigger",
            title="Paie en panne",
            severity="warning",
            service="paie",
        )
        self.incident = heard["results"][0]["incident"]
        self.until("15:50")
        self.post(
            f"{self.desk.api_url}/v1/contacts",
            "agent",
            person="roche",
            channel="phone",
            words="Je ne peux pas payer les agents.",
            incident=self.incident,
            waited_seconds=12,
        )
        self.until("15:55")
        self.command("acknowledge")
        self.until("16:10")
        self.command("restore", note="Le service redémarre.")
        self.until("16:20")
        why = {"force": True, "reason": "La sonde est arrêtée."}
        self.command("resolve", note="Disque remplacé.", **why)
        self.until("07-02 08:00")

    def mails(self) -> list[EmailMessage]:
        """Return the mails about the incident, with repeats.

        Others, of shifts that begin and end, are not part of its story.
        """
        return [m for m in self.inbox.mails if self.incident in m["subject"]]

    def timeline(self) -> Timeline:
        """Return what the log holds about the incident, stream by stream."""
        log = self.desk.log()
        kinds = ("incident", "sla", "escalation", "handover")
        found = {kind: log.history(f"{kind}-{self.incident}") for kind in kinds}
        log.close()
        return {kind: [entry.event for entry in each] for kind, each in found.items()}


def _tried(
    url: str, headers: dict[str, str], body: dict[str, Any]
) -> httpx.Response | None:
    try:
        return httpx.post(url, headers=headers, json=body, timeout=SECONDS)
    except httpx.HTTPError:
        return None


@contextmanager
def told(folder: Path, mischief: Mischief = lambda _: None) -> Iterator[Story]:
    """Run the desk of Valmont, with everybody in its directory."""
    with open_inbox() as inbox, open_postbox() as postbox:
        setting = Setting(
            policy=FILE,
            at=local("09:00"),
            environment={
                "PERMANENCE_SMTP_URL": f"smtp://127.0.0.1:{inbox.port}",
                "PERMANENCE_MAIL_FROM": "desk@valmont.example",
                "PERMANENCE_WEBHOOK_URL": postbox.url,
                "PERMANENCE_WEBHOOK_SECRET": "a secret between the two of us",
            },
        )
        with running_desk(folder, start=PROCESSES, setting=setting) as desk:
            with psycopg.connect(desk.database.owner_dsn) as connection:
                import_people(connection.cursor(), list(_people()), local("09:00"))
            log = desk.log()
            with log.transaction() as cursor:
                verify_addresses(log, cursor, STAFF, local("09:00"))
            log.close()
            yield Story(desk, inbox, postbox, mischief)


def _people() -> Iterator[dict[str, str | None]]:
    for name in (*STAFF, "roche"):
        yield {
            "id": name,
            "name": name.title(),
            "email": f"{name}@valmont.example",
            "client": "mairie-valmont" if name == "roche" else None,
            "language": "fr",
        }
