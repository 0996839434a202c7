"""A monitoring system that sends over NATS and waits for each acknowledgement.

It gives up on nothing: what was not acknowledged is sent again with the same id. What
was acknowledged is written down, to be held against the log afterwards.
"""

import asyncio
import json
import threading

from nats.aio.client import Client
from nats.errors import Error

from tests.support.patience import SECONDS
from tests.support.servers.nats_clients import client_of

SUBJECT = "desk.signal.demo"
ANSWER_SECONDS = 5.0
AGAIN_SECONDS = 0.1
PAUSE_SECONDS = 0.01


class BusLoad(threading.Thread):
    """Publishes signals until `finish`, as an operator may."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._over = threading.Event()
        self.accepted: list[str] = []
        """Event ids, each also the dedup key of an alert of its own."""
        self.failed: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 # told by finish
            self.failed = error

    def finish(self) -> list[str]:
        """Begin no new signal, see the last one through; return what was accepted."""
        self._over.set()
        self.join(SECONDS)
        assert not self.is_alive(), "a signal is still without an acknowledgement"
        if self.failed:
            raise self.failed
        return self.accepted

    async def _main(self) -> None:
        client = await client_of(
            self._url,
            max_reconnect_attempts=-1,
            reconnect_time_wait=AGAIN_SECONDS,
            error_cb=_quiet,
        )
        try:
            await self._publish(client)
        finally:
            await client.close()

    async def _publish(self, client: Client) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            event_id = f"over-nats-{number}"
            await _send(client, event_id)
            self.accepted.append(event_id)
            await asyncio.sleep(PAUSE_SECONDS)


async def _send(client: Client, event_id: str) -> None:
    """Publish a signal until JetStream says that it holds it."""
    signal = {
        "event_id": event_id,
        "dedup_key": event_id,
        "action": "trigger",
        "title": event_id,
        "severity": "error",
        "service": "web",
    }
    headers = {"Nats-Msg-Id": event_id}
    while True:
        try:
            answer = await client.request(
                SUBJECT, json.dumps(signal).encode(), ANSWER_SECONDS, headers=headers
            )
            if "seq" in json.loads(answer.data or b"{}"):
                return
        except (Error, TimeoutError):
            pass
        await asyncio.sleep(AGAIN_SECONDS)


async def _quiet(_: Exception) -> None:
    """Say nothing: servers are meant to be gone."""
