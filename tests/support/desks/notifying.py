"""A running desk that finds people: its directory, and what reaches them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import psycopg

from demo.desk import verify_addresses
from shared.domain.events import AnyEvent
from shared.domain.identifiers import escalation_stream, handover_stream
from shared.eventlog.log import EventLog
from tests.support.builders.promises import FILE, local
from tests.support.desks.lever_walk import settle
from tests.support.desks.running import SERVICES, Desk, Setting, running_desk
from tests.support.mail.smtp_server import Inbox, open_inbox
from tests.support.patience import SECONDS, awaited, until
from tests.support.servers.webhook_receiver import Postbox, open_postbox

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PUBLIC_URL = "https://desk.valmont.example"
TWILIO_TOKEN = "token-of-the-account"
OPENED = local("09:10")
STAFF = ("nadia", "paul", "amina", "bruno", "chloe", "karim", "helene", "sylvie")
MAYBE_DONE = {"unanswered", "log_silent", "intake_away"}
"""Codes of a 503 after which a command without a key must not be sent again."""
USERS = ("lefevre", "costa", "roche", "petit", "morel")
_PERSON = """
INSERT INTO directory.people (id, name, email, language, zone, client, updated_at)
VALUES (%s, %s, %s, %s, 'Europe/Paris', %s, now())
"""


@dataclass
class CallingDesk:
    """A desk of Valmont on a lever clock, with mail and a receiver of pages."""

    desk: Desk
    inbox: Inbox
    postbox: Postbox
    log: EventLog = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.desk.log()

    def open(self, **words: Any) -> str:
        """Take a user's incident on payroll on record; return its reference."""
        given = {
            "title": "Totaux faux",
            "service": "paie",
            "impact": "high",
            "urgency": "medium",
            "reporter": "roche",
            "channel": "web",
            "description": "Les totaux de la paie sont faux",
        }
        body = {k: v for k, v in (given | words).items() if v is not None}
        return str(self.post("/v1/incidents", body).json()["incident"])

    def post(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        who: str = "nadia",
        **headers: str,
    ) -> httpx.Response:
        """Send a command as somebody; it must be done."""
        known = {k.replace("_", "-"): v for k, v in headers.items()}
        answer = self.desk.post(path, body, who, known)
        assert answer.is_success, answer.text
        return answer

    def ask(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        who: str = "nadia",
        **headers: str,
    ) -> httpx.Response:
        """Send a command as somebody; return what is decided, however busy the desk.

        It has no key, so it is not sent again if it may have been done.
        """
        return awaited(
            lambda: self.ask_once(path, body, who, **headers),
            lambda answer: (
                answer.status_code != 503 or answer.json()["code"] in MAYBE_DONE
            ),
            f"{path} is decided",
        )

    def ask_once(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        who: str = "nadia",
        **headers: str,
    ) -> httpx.Response:
        """Send a command as somebody, whatever the answer."""
        known = {k.replace("_", "-"): v for k, v in headers.items()}
        return httpx.post(
            self.desk.api_url + path,
            json=body or {},
            headers=self.desk.bearer(who) | known,
            timeout=SECONDS,
        )

    def get(self, path: str, who: str = "nadia") -> Any:
        """Return what a read answers once the read models have applied the log."""
        answer = self.desk.get(path, who)
        assert answer.is_success, answer.text
        return answer.json()

    def said(self, incident: str) -> list[AnyEvent]:
        """Return what the service recorded about an incident."""
        streams = [escalation_stream(incident), handover_stream(incident)]
        with self.log.transaction() as cursor:
            return [entry.event for entry in self.log.histories(cursor, streams)]

    def count(self, incident: str, kind: str) -> int:
        """Return how many events of a type there are about an incident."""
        return sum(event.type == kind for event in self.said(incident))

    def until_said(self, incident: str, kind: str, times: int = 1) -> None:
        """Wait until the service has recorded so many events of a type."""
        until(
            lambda: self.count(incident, kind) >= times,
            f"{times} {kind} of {incident}",
        )

    def until_read(self) -> None:
        """Wait until the service has read what is in the log now."""
        head = self.sql("SELECT max(notification_id) FROM log.events")
        query = "SELECT position FROM escalation.tracking"
        until(lambda: self.sql(query) >= head, "read to the end")

    def until_quiet(self) -> None:
        """Wait until the desk is at rest, and no message waits for a later attempt."""
        settle(self.desk, sent=True)

    def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database as its owner."""
        with psycopg.connect(self.desk.database.owner_dsn) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    @property
    def letters(self) -> Sequence[EmailMessage]:
        """The mails about incidents: what waits in the outbox until it has left.

        Others, of the weeks on call for example, leave when they are due, and no rest
        of the desk includes them.
        """
        return [mail for mail in self.inbox.mails if "[INC-" in str(mail["subject"])]

    def mails_about(self, incident: str) -> int:
        """Return how many mails name an incident."""
        return sum(incident in str(mail["subject"]) for mail in self.letters)

    def to(self, person: str) -> list[str]:
        """Return the subjects of what a person got, oldest first."""
        return [
            str(mail["subject"]) for mail in self.inbox.to(f"{person}@valmont.example")
        ]


@contextmanager
def calling_desk(
    folder: Path,
    at: datetime = OPENED,
    start: Sequence[str] = SERVICES,
    policy: Path = FILE,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[CallingDesk]:
    """Run a desk whose clocks show `at`, with everybody in its directory.

    `more` is environment in which `{postbox}` is the address of its receiver.
    """
    with open_inbox() as inbox, open_postbox() as postbox:
        environment = {
            "PERMANENCE_SMTP_URL": f"smtp://127.0.0.1:{inbox.port}",
            "PERMANENCE_MAIL_FROM": "desk@valmont.example",
            "PERMANENCE_WEBHOOK_URL": postbox.url,
            "PERMANENCE_WEBHOOK_SECRET": SECRET,
            "PERMANENCE_PUBLIC_URL": PUBLIC_URL,
            "PERMANENCE_TWILIO_ACCOUNT": "AC1",
            "PERMANENCE_TWILIO_TOKEN": TWILIO_TOKEN,
            "PERMANENCE_TWILIO_FROM": "+33757000000",
            **{
                name: each.format(postbox=postbox.origin) for name, each in more.items()
            },
        }
        setting = Setting(policy, at, environment, (*STAFF,))
        with running_desk(folder, start=start, setting=setting) as desk:
            with psycopg.connect(desk.database.owner_dsn) as connection:
                for name in (*STAFF, *USERS):
                    client = "mairie-valmont" if name in USERS else None
                    mail = f"{name}@valmont.example"
                    given = (name, name.capitalize(), mail, "fr", client)
                    connection.execute(_PERSON, given)
            calling = CallingDesk(desk, inbox, postbox)
            with closing(calling.log) as log:
                with log.transaction() as cursor:
                    verify_addresses(log, cursor, STAFF, at)
                yield calling
