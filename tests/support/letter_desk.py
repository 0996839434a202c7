"""Intake's doors in the process of the test, on a real log: where letters are taken."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString, TypeVar

import httpx
from prometheus_client import CollectorRegistry
from starlette.routing import Router

from services.intake.app import Parts, assemble
from services.intake.http import routes
from services.intake.mailboxes.mailboxes import Mailboxes
from services.intake.noting import Noting
from services.intake.wanted import Wanted
from shared.command import CommandRequest
from shared.event_log import EventLog
from shared.nothing_here import complete
from shared.references import incident_stream
from shared.wishes import BODIES
from tests.support.patience import eventually

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
        self.noting = Noting(self.registry, lambda: None)

    def post(
        self, raw: bytes, kind: str = "message/rfc822", asked: str = ""
    ) -> httpx.Response:
        """Post a mail."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}

        async def knock(parts: Parts) -> httpx.Response:
            app = Router(routes=complete(routes(parts.doors)))
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

    def does(self, ref: str, verb: str, **body: object) -> None:
        """Let an agent act on an incident."""
        wish = BODIES[verb].model_validate(body)
        request = CommandRequest[Any](
            incident=ref, actor="person:nadia", scopes=("agent",), body=wish
        )

        async def ask(parts: Parts) -> None:
            await parts.commands.submit(Wanted(request, wish, b""))

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
                our_address=DESK,
            )
            parts.in_force.look()
            batching = asyncio.create_task(parts.commands.run())
            try:
                return await use(parts)
            finally:
                batching.cancel()

        return asyncio.run(work())


async def leads(mailboxes: Mailboxes) -> None:
    """Return once these are the ones that read."""
    await eventually(lambda: bool(mailboxes.own()["leads"]))
