"""Intake's doors on a real log: knocked at one by one, or opened on a port."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from prometheus_client import CollectorRegistry
from starlette.routing import Router

from services.intake.assembly import Parts, assemble
from services.intake.rooms.sources import signal_routes
from services.intake.telemetry import CommitObserver, waiting_probe
from shared.clock import Clock
from shared.eventlog.log import EventLog
from shared.http.error_responses import complete
from shared.http.serve import serve
from shared.observability.health import Check
from tests.support.servers.in_thread import running

NOBODY = {"Authorization": ""}
"""Headers of who shows no key there."""


@dataclass(frozen=True)
class Doors:
    """Intake's routes on a real log, and the key of a source."""

    log: EventLog
    executor: ThreadPoolExecutor
    key: str
    clock: Clock

    def knock(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request, with the key as bearer token unless told otherwise."""
        usual = {"Authorization": f"Bearer {self.key}"}
        return asyncio.run(
            self._knock(method, path, body, {**usual, **(headers or {})})
        )

    def ready(self) -> bool:
        """Tell whether intake says that it records."""
        return asyncio.run(self._recording()).ready

    async def _recording(self) -> Check:
        async with self._batching() as parts:
            batchers = parts.signals, parts.commands
            return await waiting_probe(parts.log, parts.commits, *batchers)()

    def opened(self) -> int:
        """Return how many incidents were opened."""
        return sum(entry.type == "incident.opened" for entry in self.log.since(0, 100))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what intake keeps beside the log."""
        with self.log.transaction() as cursor:
            return cursor.execute(query).fetchall()

    @contextmanager
    def on_a_port(self) -> Iterator[str]:
        """Give the address at which the doors are open to any client."""

        async def service(
            stop: asyncio.Event, listening: Callable[[int], None]
        ) -> None:
            async with self._batching() as parts:
                app = Router(routes=complete(signal_routes(parts.context)))
                await serve(app, "127.0.0.1", 0, stop, listening=listening)

        with running(service) as port:
            yield f"http://127.0.0.1:{port}"

    async def _knock(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> httpx.Response:
        async with self._batching() as parts:
            app = Router(routes=complete(signal_routes(parts.context)))
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://intake"
            ) as client:
                return await client.request(method, path, content=body, headers=headers)

    @asynccontextmanager
    async def _batching(self) -> AsyncIterator[Parts]:
        noting = CommitObserver(CollectorRegistry(), lambda: None)
        parts = assemble(self.log, self.clock, self.executor, noting)
        batching = asyncio.create_task(parts.signals.run())
        yield parts
        batching.cancel()
