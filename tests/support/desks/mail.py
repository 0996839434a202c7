"""Intake's doors in the process of the test, on a real log: where letters are taken."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, LiteralString, TypeVar

import httpx
from prometheus_client import CollectorRegistry
from starlette.routing import Router

from services.intake.assembly import Parts, WorkerConfig, assemble
from services.intake.commands.pending_command import PendingCommand
from services.intake.directory import store as directory_store
from services.intake.inbound_mail.endpoints import mail_routes
from services.intake.inbound_mail.worker import MailIntake
from services.intake.mailboxes.mailbox import Mailbox
from services.intake.mailboxes.worker import Mailboxes
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from services.intake.telemetry import CommitObserver
from shared.domain.commands.incident import BODIES
from shared.domain.identifiers import incident_stream
from shared.domain.policy.sources import Mailbox as Clause
from shared.eventlog.log import EventLog
from shared.http.error_responses import complete
from shared.messaging.commands import CommandRequest
from shared.security.access import create
from shared.security.signed_links import REPLY_TAGS_PURPOSE, tag_of
from tests.support import key_ring
from tests.support.compose import ROOT
from tests.support.desks.leadership import Unfenced
from tests.support.mail.raw_mails import mail
from tests.support.patience import eventually
from tests.support.servers.servers import Database

DESK = "desk@permanence.example"
_Done = TypeVar("_Done")


@dataclass
class LetterDoors:
    """The doors, and the token of who knocks; `now` is what the clock shows."""

    log: EventLog
    owner: EventLog
    """The same database as its owner, who may do anything."""
    executor: ThreadPoolExecutor
    token: str
    now: datetime
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        """Count on one registry, however often the desk is put together."""
        self.noting = CommitObserver(self.registry, lambda: None)

    def post(
        self, raw: bytes, kind: str = "message/rfc822", asked: str = ""
    ) -> httpx.Response:
        """Post a mail."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}

        async def knock(parts: Parts) -> httpx.Response:
            app = Router(routes=complete(mail_routes(parts.context, parts.letters)))
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://intake"
            ) as client:
                path = f"/v1/contacts/mail{asked}"
                return await client.post(path, content=raw, headers=headers)

        return self.with_parts(knock)

    def takes(self, raw: bytes) -> dict[str, Any]:
        """Post a mail that is to be taken; return its outcome."""
        answer = self.post(raw)
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def mailed(self, ref: str, address: str) -> str:
        """Return the id of a mail that the desk sent somebody about an incident."""
        key = self.log.vault.key_for(REPLY_TAGS_PURPOSE)
        assert key is not None
        tag = tag_of(key, ref, address, self.now.date())
        return f"<{'0' * 40}.{tag}@permanence.example>"

    def does(self, ref: str, verb: str, **body: object) -> None:
        """Let an agent act on an incident."""
        wish = BODIES[verb].model_validate(body)
        request = CommandRequest[Any](
            incident=ref, actor="person:nadia", scopes=("agent",), body=wish
        )

        async def ask(parts: Parts) -> None:
            await parts.commands.submit(PendingCommand(request, b""))

        self.with_parts(ask)

    def history(self, ref: str) -> list[Any]:
        """Return the events of an incident."""
        with self.log.transaction() as cursor:
            entries = self.log.histories(cursor, [incident_stream(ref)])
        return [entry.event for entry in entries]

    def asks(self, query: LiteralString, *given: object) -> list[tuple[Any, ...]]:
        """Return what the database says."""
        with self.log.transaction() as cursor:
            return cursor.execute(query, given).fetchall()

    def with_parts(self, use: Callable[[Parts], Awaitable[_Done]]) -> _Done:
        """Put intake together, let it work, and return what `use` does with it."""

        async def work() -> _Done:
            parts = assemble(
                self.log,
                lambda: self.now,
                self.executor,
                self.noting,
                WorkerConfig(our_address=DESK),
            )
            parts.in_force.look()
            batchers = (parts.commands.run(), parts.signals.run())
            batching = [asyncio.create_task(each) for each in batchers]
            try:
                return await use(parts)
            finally:
                for task in batching:
                    task.cancel()

        return asyncio.run(work())


AUTHSERV_ID = "mx.permanence.example"
MASTER = key_ring.MASTER
NOW = datetime(2025, 6, 30, 8, tzinfo=UTC)
COSTA = {"id": "costa", "name": "M. Costa", "email": "costa@valmont.example"}
LEROY = {"id": "leroy", "name": "Mme Leroy", "email": "leroy@valmont.example"}
_MAILBOX = f"  boite: {{type: imap, url: 'env:BOX', authserv_id: {AUTHSERV_ID}}}\n"
_STARTER = (ROOT / "deploy" / "permanence.yaml").read_text(encoding="utf-8")


def apply_mailbox(log: EventLog, *edits: tuple[str, str]) -> None:
    """Put the starter policy in force, with a mailbox and whatever is edited."""
    text = _STARTER.replace("sources:\n", f"sources:\n{_MAILBOX}", 1)
    for before, after in edits:
        assert before in text
        text = text.replace(before, after, 1)
    signature = Signature(by="root", reason="a mailbox for a test")
    applied = policy_store.apply(log, text, signature, NOW, "test")
    assert isinstance(applied, Applied), applied


@contextmanager
def mailbox_desk(database: Database) -> Iterator[LetterDoors]:
    """Give the doors of a desk with a mailbox; its mail server is the one that posts.

    The directory knows two people of one company.
    """
    with (
        closing(EventLog.open(database.owner_dsn, pool_size=2)) as owner,
        closing(
            EventLog.open(database.dsn("desk_intake"), master=MASTER, clock=lambda: NOW)
        ) as log,
        ThreadPoolExecutor(4) as executor,
    ):
        apply_mailbox(owner)
        with owner.transaction() as cursor:
            token = create(cursor, NOW, "source:boite", ["source"]).token
            directory_store.import_people(cursor, [COSTA, LEROY], NOW)
        yield LetterDoors(log, owner, executor, token, NOW)


async def leads(mailboxes: Mailboxes) -> None:
    """Return once these are the ones that read."""
    await eventually(lambda: bool(mailboxes.own()["leads"]))


CLAUSE = Clause(type="imap", url="env:BOX")


def numbered(number: int, words: str = "The portal is down.") -> bytes:
    """Return one of several mails."""
    return mail(words, message_id=f"<{number}@valmont.example>")


def reads(
    desk: LetterDoors, url: str, rounds: int = 1, letters: MailIntake | None = None
) -> Mailbox:
    """Read a mailbox so many times, as one process does; return its last state."""

    async def work(parts: Parts) -> Mailbox:
        taking = letters or parts.letters
        box = Mailbox("boite", CLAUSE, desk.log, taking, DESK, {"BOX": url})
        for _ in range(rounds):
            await box.round(Unfenced(), 0.0)
        await box.close()
        return box

    return desk.with_parts(work)


def taken(desk: LetterDoors) -> list[str]:
    """Return the outcome of each letter, in order."""
    return [
        row[0]
        for row in desk.asks("SELECT verdict FROM intake.letters ORDER BY letter_id")
    ]
