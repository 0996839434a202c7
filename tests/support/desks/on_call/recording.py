"""A process that records who is on call, and one that sends the mail about it."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from services.escalation.notifications.channels.mail import MailChannel, mail_server
from services.escalation.notifications.channels.mail_message import Mailbox
from services.escalation.notifications.channels.outlets import Outlets
from services.escalation.notifications.queued_messages import QueuedMessages
from services.escalation.on_call.recorder import OnCallRecorder
from services.escalation.on_call.worker import LEASE
from services.escalation.on_call_mail.letters import OnCallLetters
from services.escalation.on_call_mail.store import GATHERED, QUEUE, MailRequest
from shared.database.leadership import Candidate
from shared.eventlog.log import EventLog
from tests.support.builders.june_log import June
from tests.support.desks.api import MASTER
from tests.support.mail.smtp_server import HOST, Inbox, open_inbox
from tests.support.patience import eventually

# Turns of two weeks from Monday 2025-01-06 at 08:00 in Brussels: tariq, ines, jos.
TURNS = "participants: [tariq, ines, jos]"
SAME = (
    "{timezone: Europe/Brussels, rotation: {type: weekly, shift_length: 2, start: "
    '"2025-01-06T08:00", participants: [tariq, ines, jos]}}'
)
GARDE = f"  garde: {SAME}"


@dataclass
class Observer:
    """A process that records the history, with the rights of its service."""

    month: June
    log: EventLog = field(init=False)
    recorder: OnCallRecorder = field(init=False)

    def __post_init__(self) -> None:
        dsn = self.month.database.dsn("desk_escalation")
        self.log = EventLog.open(dsn, master=MASTER, clock=lambda: self.month.now)
        self.recorder = OnCallRecorder(self.log, lambda: self.month.now)

    def looks(self) -> None:
        """Run a round as the elected process."""
        asyncio.run(self._round())

    async def _round(self) -> None:
        dsn = self.month.database.dsn("desk_escalation")
        async with Candidate(dsn, LEASE).standing() as seat:
            await eventually(seat.won)  # the last round's process leaves in time
            await asyncio.to_thread(self.recorder.round, seat)


@dataclass
class Post:
    """A process that sends the mail, and the inbox in which it arrives."""

    observer: Observer
    inbox: Inbox

    def sends(self, *, lets_die: bool = False) -> None:
        """Send all that is due; or die after sending, before that is recorded."""
        self.observer.month.now += GATHERED
        asyncio.run(self._sent(lets_die=lets_die))

    async def _sent(self, *, lets_die: bool) -> None:
        with self.sender() as mail:
            if lets_die:
                mail._note = lambda *_: None  # type: ignore[method-assign] # dies
            while await mail.send_next():
                pass

    @contextmanager
    def sender(self) -> Iterator[QueuedMessages[MailRequest]]:
        """Return the part of the service that sends."""
        server = mail_server(f"smtp://{HOST}:{self.inbox.port}")
        sender = Mailbox("desk@desk.example", "Desk")
        log, month = self.observer.log, self.observer.month
        outlets = Outlets.of((MailChannel(server, sender),))
        with ThreadPoolExecutor(2) as threads:
            compose = OnCallLetters(log, "https://desk.example").of
            yield QueuedMessages(
                QUEUE, compose, log, outlets, lambda: month.now, threads
            )

    def verify(self, person: str, at: datetime | None) -> None:
        """Verify the address of somebody, or with None: let it be unverified."""
        with psycopg.connect(self.observer.month.database.owner_dsn) as owner:
            owner.execute(_VERIFY, (at, person))

    def to(self, person: str) -> list[str]:
        """Return subject and text of what came for somebody."""
        return [
            f"{mail['Subject']}\n{mail.get_content()}"
            for mail in self.inbox.to(f"{person}@desk.example")
        ]


_PERSON = """
INSERT INTO directory.people (id, name, email, language, updated_at, confirmed)
VALUES (%s, %s, %s, %s, now(), true)
"""
_METHOD = """
INSERT INTO directory.contact_methods
    (person, method, kind, value, added_at, verified_at)
VALUES (%s, 'mail', 'mail', %s, now(), now())
"""
_VERIFY = "UPDATE directory.contact_methods SET verified_at = %s WHERE person = %s"


@contextmanager
def open_post(observer: Observer) -> Iterator[Post]:
    """Put four people into the directory, and open the inbox of all of them.

    All have verified their addresses.
    """
    people = {"tariq": "en", "ines": "en", "jos": "fr", "ghislaine": "en"}
    with psycopg.connect(observer.month.database.owner_dsn) as owner:
        for id_, language in people.items():
            row = (id_, id_.title(), f"{id_}@desk.example", language)
            owner.execute(_PERSON, row)
            owner.execute(_METHOD, (id_, f"{id_}@desk.example"))
    with open_inbox() as inbox:
        yield Post(observer, inbox)
