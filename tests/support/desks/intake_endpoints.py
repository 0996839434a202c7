"""Intake's doors with everything behind them, in the test's own process and time.

No process and no port: requests go straight into the application, which works on a real
database. Clocks stand until a test moves them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
from prometheus_client import CollectorRegistry
from starlette.routing import Router

from services.intake.app import rooms
from services.intake.assembly import ALONE, Parts, WorkerConfig, assemble
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from services.intake.telemetry import CommitObserver
from shared.eventlog.log import EventLog
from shared.http.error_responses import complete
from shared.http.serve import end, serve
from shared.security.access import create
from tests.support import key_ring
from tests.support.servers.in_thread import running
from tests.support.servers.servers import Database

POLICY = Path(__file__).parents[3] / "deploy" / "permanence.yaml"
MASTER = key_ring.MASTER
NOW = datetime(2025, 6, 30, 8, tzinfo=UTC)
DEMO = "  demo: {type: native}\n"
TRIGGER = {"action": "trigger", "title": "disk full", "service": "mail"}


@dataclass
class Times:
    """The clock of the desk, and the one that only goes on."""

    now: datetime = NOW
    seconds: float = 0.0


@dataclass
class Doors:
    """What a test knocks with, and looks behind."""

    parts: Parts
    client: httpx.AsyncClient
    registry: CollectorRegistry
    keys: Mapping[str, str]

    async def post(
        self,
        path: str = "/v1/events",
        body: Any = TRIGGER,
        who: str = "demo",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a body with somebody's key."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        shown = self.bearer(who) | dict(headers or {})
        return await self.client.post(path, content=content, headers=shown)

    async def get(self, path: str, who: str = "agent") -> httpx.Response:
        """Ask for something with somebody's key."""
        return await self.client.get(path, headers=self.bearer(who))

    def bearer(self, who: str) -> dict[str, str]:
        """Return the header that shows a key."""
        return {"Authorization": f"Bearer {self.keys.get(who, who)}"}

    def counted(self, name: str, **labels: str) -> float:
        """Return what a counter stands at."""
        return self.registry.get_sample_value(name, labels) or 0.0


@dataclass
class Gatekept:
    """A database with a policy and keys; `open` lets a test in."""

    database: Database
    times: Times
    keys: dict[str, str] = field(default_factory=dict)

    def apply(self, text: str) -> None:
        """Put a policy in force."""
        with self.owner() as log:
            signature = Signature(by="root", reason="a test")
            applied = policy_store.apply(log, text, signature, self.times.now, "test")
        assert isinstance(applied, Applied), applied

    def rule(self, source: str, heartbeats: str = "") -> None:
        """Put the starter policy in force, with this said of its source `demo`."""
        text = POLICY.read_text(encoding="utf-8")
        assert text.count(DEMO) == 1
        said = f"  demo: {{type: native, {source}}}\n"
        self.apply(text.replace(DEMO, said) + heartbeats)

    @contextmanager
    def owner(self) -> Iterator[EventLog]:
        """Give the log as its owner has it."""
        log = EventLog.open(
            self.database.owner_dsn,
            master=MASTER,
            clock=lambda: self.times.now,
            pool_size=2,
        )
        try:
            yield log
        finally:
            log.close()

    def key(self, actor: str, scope: Any) -> str:
        """Return a fresh key of somebody."""
        with self.owner() as log, log.transaction() as cursor:
            return create(cursor, self.times.now, actor, [scope]).token

    @contextmanager
    def log(self) -> Iterator[EventLog]:
        """Give the log as intake has it."""
        log = EventLog.open(
            self.database.dsn("desk_intake"),
            master=MASTER,
            clock=lambda: self.times.now,
        )
        try:
            yield log
        finally:
            log.close()

    @asynccontextmanager
    async def open(
        self, log: EventLog, config: WorkerConfig = ALONE, peer: str = "192.0.2.9"
    ) -> AsyncIterator[Doors]:
        """Give the doors of one more process; `peer` is who connects."""
        registry = CollectorRegistry()
        async with self._working(log, registry, config) as (parts, app):
            transport = httpx.ASGITransport(app, client=(peer, 50_000))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://intake"
            ) as client:
                yield Doors(parts, client, registry, self.keys)

    @contextmanager
    def on_a_port(self) -> Iterator[str]:
        """Give the address at which the doors are open to any client."""

        async def service(
            stop: asyncio.Event, listening: Callable[[int], None]
        ) -> None:
            async with self._working(log, CollectorRegistry(), ALONE) as (_, app):
                await serve(app, "127.0.0.1", 0, stop, listening=listening)

        with self.log() as log, running(service) as port:
            yield f"http://127.0.0.1:{port}"

    @asynccontextmanager
    async def _working(
        self, log: EventLog, registry: CollectorRegistry, config: WorkerConfig
    ) -> AsyncIterator[tuple[Parts, Router]]:
        with ThreadPoolExecutor(4) as executor:
            noting = CommitObserver(registry, lambda: None)
            clock = lambda: self.times.now  # noqa: E731 # as short as it is
            own = replace(config, elapsed=lambda: self.times.seconds)
            parts = assemble(log, clock, executor, noting, own)
            batching = asyncio.create_task(parts.signals.run())
            routes = rooms(parts).routes
            yield parts, Router(routes=complete(routes))
            await end(batching)


@contextmanager
def gatekept(database: Database) -> Iterator[Gatekept]:
    """Give a desk with the starter policy, a source `demo` and an agent."""
    desk = Gatekept(database, Times())
    desk.apply(POLICY.read_text(encoding="utf-8"))
    desk.keys["demo"] = desk.key("source:demo", "source")
    desk.keys["agent"] = desk.key("person:nadia", "agent")
    yield desk


def through(
    desk: Gatekept,
    scenario: Callable[[Doors], Awaitable[None]],
    config: WorkerConfig = ALONE,
    peer: str = "192.0.2.9",
) -> None:
    """Let a scenario happen at the doors of one process."""

    async def whole() -> None:
        with desk.log() as log:
            async with desk.open(log, config, peer) as doors:
                await scenario(doors)

    asyncio.run(whole())
