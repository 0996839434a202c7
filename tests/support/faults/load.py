"""Monitors and agents who never give up: each request is sent until it is answered 2xx.

What was promised to them is written down, to be held against the log afterwards.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tests.support.desks.running import Desk
from tests.support.patience import SECONDS

SENDERS = 6
AGENTS = 2
"""How many of them send commands as well."""
PAUSE_SECONDS = 0.01
AGAIN_SECONDS = 0.05
TIMEOUT_SECONDS = 4.0


@dataclass
class Promised:
    """All that was answered 2xx."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Event id → its result."""
    opened: dict[str, str] = field(default_factory=dict)
    """Dedup key of a trouble sent for the first time → the incident answered."""
    commands: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Idempotency key → its answer."""
    tries: int = 0


class Load(threading.Thread):
    """Sends until `finish`; then every request under way is still seen through."""

    def __init__(self, desk: Desk, seed: int) -> None:
        super().__init__(daemon=True)
        self._desk = desk
        self._random = Random(seed)  # noqa: S311 # a game, to be played again
        self._over = threading.Event()
        self._numbers = iter(range(1, 1_000_000))
        self.promised = Promised()
        self.failed: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 # told by finish
            self.failed = error

    def finish(self, seconds: float = SECONDS) -> Promised:
        """Let no new request begin, wait for those under way; return what was said."""
        self._over.set()
        self.join(seconds)
        assert not self.is_alive(), "requests are still without an answer"
        if self.failed:
            raise self.failed
        return self.promised

    async def _main(self) -> None:
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
            senders = [self._send(client, agent=n < AGENTS) for n in range(SENDERS)]
            await asyncio.gather(*senders)

    async def _send(self, client: httpx.AsyncClient, *, agent: bool) -> None:
        """Send one thing after the other; an agent's wait for NATS stops no monitor."""
        while not self._over.is_set():
            kind = self._random.random()
            if kind < 0.6 or len(self.promised.opened) < SENDERS:
                await self._new_trouble(client)
            elif kind < 0.8 or not agent:
                await self._repeat(client)
            else:
                await self._command(client)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _new_trouble(self, client: httpx.AsyncClient) -> None:
        number = next(self._numbers)
        result = await self._signal(client, f"trouble-{number}", "trigger")
        self.promised.opened[f"trouble-{number}"] = result["incident"]

    async def _repeat(self, client: httpx.AsyncClient) -> None:
        key = self._random.choice(list(self.promised.opened))
        await self._signal(client, key, self._random.choice(["trigger", "resolve"]))

    async def _signal(
        self, client: httpx.AsyncClient, key: str, action: str
    ) -> dict[str, Any]:
        event_id = f"event-{next(self._numbers)}"
        event = {
            "event_id": event_id,
            "dedup_key": key,
            "action": action,
            "title": key,
            "severity": "error",
            "service": "web",
        }
        answer = await self._until_answered(
            lambda: client.post(
                f"{self._random.choice(self._desk.intake_urls)}/v1/events",
                json=event,
                headers=self._desk.bearer("source"),
            )
        )
        (result,) = answer["results"]
        assert result["status"] != "rejected", result
        self.promised.events[event_id] = result
        return dict(result)

    async def _command(self, client: httpx.AsyncClient) -> None:
        ref = self._random.choice(list(self.promised.opened.values()))
        key = f"key-{next(self._numbers)}"
        headers = {**self._desk.bearer("agent"), "Idempotency-Key": key}
        answer = await self._until_answered(
            lambda: client.post(
                f"{self._desk.api_url}/v1/incidents/{ref}/inform",
                json={"message": f"told with {key}"},
                headers=headers,
            )
        )
        self.promised.commands[key] = answer

    async def _until_answered(self, send: Callable[[], Any]) -> dict[str, Any]:
        while True:
            self.promised.tries += 1
            try:
                response = await send()
            except httpx.HTTPError:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if response.is_success:
                return dict(response.json())
            assert response.status_code in (429, 503), response.text
            assert "retry-after" in response.headers, response.text
            await asyncio.sleep(AGAIN_SECONDS)
