"""Intake's doors on a real log and a clock a test sets, with a mapped source."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry
from starlette.routing import Router

from services.intake.app import rooms
from services.intake.assembly import Parts, assemble
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from services.intake.telemetry import CommitObserver
from shared.domain.events.incident import IncidentOpened
from shared.eventlog.log import EventLog
from shared.http.serve import serve
from shared.messaging.commands import Scope
from shared.security.access import create
from tests.support import key_ring
from tests.support.servers.in_thread import running
from tests.support.servers.servers import Database

POLICY = Path(__file__).parents[4] / "deploy" / "permanence.yaml"
MASTER = key_ring.MASTER
NOW = datetime(2025, 6, 30, 8, tzinfo=UTC)
OFF = "{title: text, dedup_key: point, action: {from: up, values: {'false': trigger}}}"
BAD = {"text": "Door 7 stuck", "point": "d7", "up": "down"}
MENDED = (
    "{title: text, dedup_key: point,"
    " action: {from: up, values: {'false': trigger, 'true': resolve, down: trigger}}}"
)


@dataclass
class MappedDesk:
    """A desk whose source `demo` is mapped."""

    database: Database
    log: EventLog
    executor: ThreadPoolExecutor
    tokens: dict[str, str]
    now: datetime = field(default=NOW)

    def parts(self) -> Parts:
        """Return intake's parts, put together again."""
        noting = CommitObserver(CollectorRegistry(), lambda: None)
        return assemble(self.log, lambda: self.now, self.executor, noting)

    def run(self, ask: Callable[[httpx.AsyncClient, Parts], Awaitable[Any]]) -> Any:
        """Run `ask` beside a running intake."""

        async def running() -> Any:
            parts = self.parts()
            batching = asyncio.create_task(parts.signals.run())
            transport = httpx.ASGITransport(Router(routes=rooms(parts).routes))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://intake"
            ) as client:
                answer = await ask(client, parts)
            batching.cancel()
            return answer

        return asyncio.run(running())

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Give the address of a running intake."""

        async def service(
            stop: asyncio.Event, listening: Callable[[int], None]
        ) -> None:
            parts = self.parts()
            app = Router(routes=rooms(parts).routes)
            batching = asyncio.create_task(parts.signals.run())
            await serve(app, "127.0.0.1", 0, stop, listening=listening)
            batching.cancel()

        with running(service) as port:
            yield f"http://127.0.0.1:{port}"

    def ask(
        self, method: str, path: str, who: str = "agent", **more: Any
    ) -> httpx.Response:
        """Send one request."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}

        async def once(client: httpx.AsyncClient, _: Parts) -> httpx.Response:
            return await client.request(method, path, headers=headers, **more)

        answer: httpx.Response = self.run(once)
        return answer

    def post(self, document: object) -> list[str]:
        """Post a body to the mapped door; return the status of each element."""
        answer = self.ask("POST", "/v1/integrations/mapped", "source", json=document)
        assert answer.status_code == 202, answer.text
        return [each["status"] for each in answer.json()["results"]]

    def map(self, mapping: str) -> None:
        """Put a mapping of the source `demo` in force."""
        text = POLICY.read_text(encoding="utf-8").replace(
            "demo: {type: native}", f"demo: {{type: mapped, mapping: {mapping}}}"
        )
        log = EventLog.open(self.database.owner_dsn)
        signature = Signature(by="root", reason="a mapping")
        applied = policy_store.apply(log, text, signature, self.now, "test")
        log.close()
        assert isinstance(applied, Applied), applied

    def listed(self, **asked: object) -> list[dict[str, Any]]:
        """Return the items of a list."""
        answer = self.ask("GET", "/v1/quarantine", params=asked)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def retry(self, number: int) -> dict[str, Any]:
        """Try one again."""
        answer = self.ask("POST", f"/v1/quarantine/{number}/retry")
        assert answer.status_code == 200, answer.text
        tried: dict[str, Any] = answer.json()
        return tried

    def opened(self) -> list[IncidentOpened]:
        """Return every incident of the log."""
        entries = self.log.since(0, 1_000)
        return [e.event for e in entries if isinstance(e.event, IncidentOpened)]


@contextmanager
def mapped_desk(ruled: Database) -> Iterator[MappedDesk]:
    """Give a desk whose source `demo` has a mapping with a gap."""
    scopes: dict[str, Scope] = {name: name for name in ("agent", "auditor", "admin")}
    owner = EventLog.open(ruled.owner_dsn)
    with owner.transaction() as cursor:
        tokens = {"source": create(cursor, NOW, "source:demo", ["source"]).token}
        for name, scope in scopes.items():
            tokens[name] = create(cursor, NOW, f"person:{name}", [scope]).token
    owner.close()
    log = EventLog.open(ruled.dsn("desk_intake"), master=MASTER, clock=lambda: NOW)
    with ThreadPoolExecutor(4) as executor:
        made = MappedDesk(ruled, log, executor, tokens)
        made.map(OFF)
        yield made
    log.close()
