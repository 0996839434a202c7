"""Signals over NATS: nobody hears an answer, so none is refused and none sticks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
import pytest
from nats.aio.client import Client
from prometheus_client import CollectorRegistry

from services.intake.nats_sources.rules import Sender, WhyNot
from services.intake.records.signal import Signal
from services.intake.signals.reception import Charge, Reception
from services.intake.signals.schemas import Delivery, Result
from services.intake.source_api.subscriber import (
    Wait,
    keep_listening,
    listen_for_signals,
)
from shared.eventlog.batcher import Batcher
from shared.messaging import subjects
from shared.messaging.broker import command_broker, started, stop
from shared.messaging.streams import provision
from standalone.nats import Bus
from tests.integration.intake.conftest import NOW, Hands
from tests.support.patience import SECONDS, eventually
from tests.support.servers.nats_clients import connected_to

pytestmark = pytest.mark.servers

Flush = Callable[[Sequence[Delivery]], Sequence[list[Result] | Exception]]
FIRES = orjson.dumps({"action": "trigger", "title": "disk full"})


@dataclass(frozen=True)
class Queue:
    """The work queue, as its senders and its operator see it."""

    client: Client

    async def put(
        self, source: str, body: bytes = FIRES, headers: dict[str, str] | None = None
    ) -> None:
        stream = self.client.jetstream()
        await stream.publish(subjects.signal(source), body, headers=headers)

    async def empties(self) -> None:
        async def empty() -> bool:
            info = await self.client.jetstream().stream_info(subjects.SIGNALS_STREAM)
            return info.state.messages == 0

        await eventually(empty)


async def accept_all(_: Sender) -> None:
    """Quarantine nothing for its sender."""


@asynccontextmanager
async def listening(
    bus: Bus,
    flush: Flush,
    wait: Wait = lambda _: 0.0,
    charge: Charge = lambda _source, _elements, _size: None,
    why_not: WhyNot = accept_all,
) -> AsyncIterator[Queue]:
    """Take signals off the queue with `flush`; the queue stands before that."""
    broker = command_broker(bus.url("intake"), "intake", CollectorRegistry())
    stopped = asyncio.Event()
    with ThreadPoolExecutor(1) as executor:
        batcher = Batcher(flush, executor, weight_max=400, waiting_max=20_000)
        reception = Reception(batcher, lambda: NOW, lambda _: None, charge)
        async with connected_to(bus.url("admin")) as client:
            await provision(client.jetstream())
            assert await started(broker, stopped)
            batching = asyncio.create_task(batcher.run())
            subscriber = listen_for_signals(
                broker, reception, why_not, wait, subjects.inbox_prefix("intake")
            )
            taking = asyncio.create_task(keep_listening(subscriber, stopped))
            try:
                async with asyncio.timeout(SECONDS):
                    yield Queue(client)
            finally:
                stopped.set()
                await taking
                await stop(broker)
                batching.cancel()


def quarantined(hands: Hands) -> list[tuple[str, str]]:
    with hands.log.transaction() as cursor:
        rows = cursor.execute("SELECT source, reason FROM intake.quarantine").fetchall()
    return [(str(source), str(reason)) for source, reason in rows]


def opened(hands: Hands) -> int:
    return sum(entry.type == "incident.opened" for entry in hands.log.since(0, 100))


def test_what_comes_from_no_source_is_set_aside_and_holds_nobody_up(
    bus: Bus, hands: Hands
) -> None:
    async def scenario() -> None:
        async with listening(bus, hands.receiver.flush) as queue:
            for source in ("a/b", "é", "x" * 2_000, "demo"):
                await queue.put(source)
            await queue.empties()

    asyncio.run(scenario())

    assert opened(hands) == 1
    assert {source for source, _ in quarantined(hands)} == {"unknown"}
    assert ("unknown", "`a/b` is not the name of a source") in quarantined(hands)


@pytest.mark.parametrize("name", ["Nats-Msg-Id", "ce-type"])
def test_a_header_that_cannot_be_kept_is_no_mistake_of_ours(
    bus: Bus, hands: Hands, name: str
) -> None:
    charged: list[tuple[str, int, int]] = []

    async def scenario() -> None:
        async with listening(
            bus, hands.receiver.flush, charge=lambda *what: charged.append(what)
        ) as queue:
            await queue.put("demo", headers={name: "a\0b"})
            await queue.empties()

    asyncio.run(scenario())

    why = f"the header `{name}` holds the character U+0000: remove it"
    assert quarantined(hands) == [("demo", why)]
    assert charged == [("demo", 1, len(FIRES))], "its bytes count all the same"


def test_a_source_does_not_pay_for_what_the_shared_user_sends_in_its_name(
    bus: Bus, hands: Hands
) -> None:
    paying = set[str]()

    async def why_not(sender: Sender) -> str | None:
        return "refused" if sender.shared_user else None

    def wait(source: str) -> float:
        paying.add(source)
        return 0.0

    async def scenario() -> None:
        async with listening(
            bus,
            hands.receiver.flush,
            wait,
            lambda source, *_: paying.add(source),
            why_not,
        ) as queue:
            await queue.put(f"{subjects.SHARED_USER}.demo")
            await queue.empties()

    asyncio.run(scenario())

    assert quarantined(hands) == [("demo", "refused")]
    assert paying == {subjects.SHARED_USER}


def test_a_message_that_fails_again_and_again_is_set_aside(
    bus: Bus, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.intake.source_api.subscriber.AGAIN_SECONDS", 0.01)

    def mistaken(
        deliveries: Sequence[Delivery],
    ) -> Sequence[list[Result] | Exception]:
        if any(isinstance(h, Signal) for d in deliveries for h in d.heard):
            return [ValueError("our mistake") for _ in deliveries]
        return hands.receiver.flush(deliveries)

    async def scenario() -> None:
        async with listening(bus, mistaken) as queue:
            await queue.put("demo")
            await queue.empties()

    asyncio.run(scenario())

    ((source, reason),) = quarantined(hands)
    assert source == "demo", "it can be tried again"
    assert "our mistake, noted in the log" in reason


def test_a_source_above_its_rate_waits_in_the_queue_and_holds_nobody_up(
    bus: Bus, hands: Hands
) -> None:
    asked: list[str] = []

    def wait(source: str) -> float:
        asked.append(source)
        early = source == "noisy" and asked.count("noisy") <= 3
        return 0.05 if early else 0.0

    async def scenario() -> None:
        async with listening(bus, hands.receiver.flush, wait) as queue:
            for source in ("noisy", "demo", "a/b"):
                await queue.put(source)
            await queue.empties()

    asyncio.run(scenario())

    assert asked.count("noisy") == 4
    assert "a/b" not in asked
    assert opened(hands) == 2


BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "7",
    "ce-source": "/quais/north",
    "ce-type": "example.gate.stuck",
    "ce-subject": "gate%2012",
    "Content-Type": "text/plain",
}
STRUCTURED = {
    "specversion": "1.0",
    "id": "7",
    "source": "/quais/north",
    "type": "example.gate.stuck",
    "subject": "gate 12",
}
ENVELOPE = {"Content-Type": "application/cloudevents+json"}


def test_a_cloudevent_is_one_message_in_either_mode(bus: Bus, hands: Hands) -> None:
    async def scenario() -> None:
        async with listening(bus, hands.receiver.flush) as queue:
            await queue.put("demo", b"it is stuck", BINARY)
            await queue.put("demo", orjson.dumps(STRUCTURED), ENVELOPE)
            await queue.empties()

    asyncio.run(scenario())

    with hands.log.transaction() as cursor:
        ids = cursor.execute("SELECT event_id FROM intake.requests").fetchall()
    assert ids == [("/quais/north|7",)]
    assert opened(hands) == 1
    assert quarantined(hands) == []


def test_a_cloudevent_that_is_none_is_set_aside(bus: Bus, hands: Hands) -> None:
    old = orjson.dumps({**STRUCTURED, "specversion": "0.3"})

    async def scenario() -> None:
        async with listening(bus, hands.receiver.flush) as queue:
            await queue.put("demo", old, ENVELOPE)
            xml = {"content-type": "application/cloudevents+xml"}
            await queue.put("demo", b"<e/>", xml)
            await queue.put("demo")
            await queue.empties()

    asyncio.run(scenario())

    assert opened(hands) == 1
    reasons = [reason for _, reason in quarantined(hands)]
    assert len(reasons) == 2
    assert any("send CloudEvents 1.0" in reason for reason in reasons)
    assert any("application/cloudevents+json" in reason for reason in reasons)
