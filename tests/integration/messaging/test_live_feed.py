"""A reader on the live feed, which doubles, loses, reorders and forges messages.

Where a test says `PATIENT`, silence alone would not bring the log's events in time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.client import Client

from shared.eventlog.entry import Link, chained
from shared.eventlog.log import Row
from shared.eventlog.readers import reader as reader_module
from shared.eventlog.readers.reader import Reader
from shared.messaging import live_feed
from shared.messaging.connection import Link as BusLink
from shared.messaging.live_feed import Deliveries
from shared.messaging.streams import provision
from standalone.nats import Bus
from tests.support.desks.follower import (
    PATIENT,
    Desk,
    in_stream,
    provisioned,
    reading,
    send,
)
from tests.support.patience import SECONDS, eventually
from tests.support.servers.servers import NatsServer, running_nats

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def no_second_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a reader that fails on an error stay down for longer than a test."""
    monkeypatch.setattr(reader_module, "STOPPED_SECONDS", PATIENT)


@asynccontextmanager
async def living(
    desk: Desk, bus: Bus, silence: float = PATIENT
) -> AsyncIterator[tuple[Reader, Client]]:
    """Run a reader that is live, beside a client that may publish events."""
    async with (
        provisioned(bus.url("intake")) as client,
        BusLink(bus.url("sla_watcher"), "reader") as link,
        reading(desk, link, silence=silence) as reader,
    ):
        await eventually(lambda: reader.status.state == "live")
        yield reader, client


def test_a_live_reader_applies_what_nats_delivers(desk: Desk, bus: Bus) -> None:
    async def scenario() -> None:
        async with living(desk, bus) as (reader, client):
            desk.happen(1, 2, 1)
            await send(client, desk.rows())
            await eventually(lambda: desk.tracked() == 3)
            assert reader.status.state == "live"

    asyncio.run(scenario())
    assert desk.seen() == [1, 2, 3]


def test_repeats_are_dropped(desk: Desk, bus: Bus) -> None:
    async def scenario() -> None:
        async with living(desk, bus) as (reader, client):
            desk.happen(1, 2, 3)
            await send(client, desk.rows(1, 1, 2, 1, 2, 2, 3))
            await eventually(lambda: desk.tracked() == 3)
            desk.happen(4)
            await send(client, desk.rows(3, 1, 4))
            await eventually(lambda: desk.tracked() == 4)
            assert reader.status.state == "live"

    asyncio.run(scenario())
    assert desk.seen() == [1, 2, 3, 4]
    assert desk.parked() == []


def test_a_gap_is_filled_from_the_log(desk: Desk, bus: Bus) -> None:
    async def scenario() -> None:
        async with living(desk, bus) as (_, client):
            desk.happen(1, 2, 3, 4)
            await send(client, desk.rows(1, 4))
            await eventually(lambda: desk.tracked() == 4)

    asyncio.run(scenario())
    assert desk.seen() == [1, 2, 3, 4]


def test_events_out_of_order_are_applied_in_order(desk: Desk, bus: Bus) -> None:
    async def scenario() -> None:
        async with living(desk, bus) as (_, client):
            desk.happen(1, 2, 3, 4)
            await send(client, desk.rows(3, 1, 4, 2))
            await eventually(lambda: desk.tracked() == 4)

    asyncio.run(scenario())
    assert desk.seen() == [1, 2, 3, 4]


def test_a_reader_is_live_again_after_a_gap(desk: Desk, bus: Bus) -> None:
    async def scenario() -> None:
        async with living(desk, bus) as (reader, client):
            desk.happen(1, 2)
            await send(client, desk.rows(2))
            await eventually(lambda: desk.tracked() == 2)
            await eventually(lambda: reader.status.state == "live")
            desk.happen(3)
            await send(client, desk.rows(3))
            await eventually(lambda: desk.tracked() == 3)

    asyncio.run(scenario())
    assert desk.seen() == [1, 2, 3]


def test_a_reader_that_is_woken_does_not_wait_for_nats(desk: Desk, bus: Bus) -> None:
    async def scenario() -> None:
        async with living(desk, bus, silence=PATIENT) as (reader, client):
            desk.happen(1)
            reader.wake()
            await eventually(lambda: desk.tracked() == 1)
            assert reader.status.state == "live"
            desk.happen(2)
            await send(client, desk.rows(1, 2))
            await eventually(lambda: desk.tracked() == 2)

    asyncio.run(scenario())
    assert desk.seen() == [1, 2]


def test_silence_with_the_log_ahead_is_noticed(desk: Desk, bus: Bus) -> None:
    async def scenario() -> None:
        async with living(desk, bus, silence=0.05) as (reader, _):
            desk.happen(1, 2)
            await eventually(lambda: desk.tracked() == 2)
            await eventually(lambda: reader.status.state == "live")

    asyncio.run(scenario())
    assert desk.seen() == [1, 2]


def test_an_event_that_is_not_in_the_log_is_not_applied(desk: Desk, bus: Bus) -> None:
    """The right position, but of another log: its hash does not follow ours."""

    async def scenario() -> None:
        async with living(desk, bus) as (_, client):
            desk.happen(1, 2)
            true = desk.rows(1)[0]
            await send(client, [true._replace(state=true.state.replace(b"p", b"q"))])
            await send(client, desk.rows(2))
            await eventually(lambda: desk.tracked() == 2)

    asyncio.run(scenario())
    assert desk.seen() == [1, 2]
    assert desk.parked() == []


@pytest.mark.parametrize("true_ones", [0, 2])
def test_an_event_that_follows_and_was_never_recorded_stops_the_reader(
    desk: Desk, bus: Bus, true_ones: int
) -> None:
    """As from a zombie that publishes what a restored log no longer holds."""

    async def scenario() -> None:
        async with living(desk, bus) as (reader, client):
            desk.happen(1)
            await send(client, desk.rows(1))
            await eventually(lambda: desk.tracked() == 1)
            desk.happen(*range(2, 2 + true_ones))
            true = desk.rows()[1:]
            await send(client, [*true, forged(desk.rows()[-1])])
            await eventually(lambda: reader.status.state == "stopped")
            assert "the log does not hold the event at" in reader.status.why

    asyncio.run(scenario())
    assert desk.seen()[:1] == [1]
    assert max(desk.seen()) <= 1 + true_ones
    assert desk.parked() == []


def test_a_reader_that_met_a_forgery_goes_on_from_the_log(
    desk: Desk, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "STOPPED_SECONDS", 0.01)

    async def scenario() -> None:
        async with living(desk, bus, silence=0.05) as (_, client):
            desk.happen(1)
            await send(client, desk.rows(1))
            await eventually(lambda: desk.tracked() == 1)
            await send(client, [forged(desk.rows(1)[0])])
            desk.happen(2, 3)
            await send(client, desk.rows(2, 3))
            await eventually(lambda: desk.tracked() == 3)

    asyncio.run(scenario())
    assert desk.seen() == [1, 2, 3]


def forged(last: Row) -> Row:
    """Return an event that follows `last` in every respect but one: nobody said it."""
    row = last._replace(position=last.position + 1, version=last.version + 1)
    link = Link(
        row.position,
        row.stream,
        row.version,
        row.type,
        row.recorded_at,
        row.command_id,
        row.state,
    )
    return row._replace(chain=chained(last.chain, link))


def test_a_message_that_is_no_event_does_no_harm(desk: Desk, bus: Bus) -> None:
    async def scenario() -> None:
        async with living(desk, bus) as (reader, client):
            await client.jetstream().publish("desk.event.stray", b"hello")
            desk.happen(1)
            await send(client, desk.rows(1))
            await eventually(lambda: desk.tracked() == 1)
            await eventually(lambda: reader.status.state == "live")

    asyncio.run(scenario())
    assert desk.seen() == [1]


def test_a_wiped_stream_loses_nothing(
    desk: Desk, bus: Bus, nats_server: NatsServer
) -> None:
    async def scenario() -> None:
        async with living(desk, bus, silence=0.05) as (reader, client):
            desk.happen(1)
            await send(client, desk.rows(1))
            await eventually(lambda: desk.tracked() == 1)
            await asyncio.to_thread(nats_server.wipe)
            desk.happen(2)
            await eventually(lambda: desk.tracked() == 2)
            await provision(client.jetstream())
            await eventually(lambda: reader.status.state == "live")
            assert await in_stream(client) == []

    asyncio.run(scenario())
    assert desk.seen() == [1, 2]


def test_nats_away_and_back_loses_nothing(desk: Desk, servers_folder: Path) -> None:
    folder = servers_folder / "nats-away"
    folder.mkdir()

    async def scenario(server: NatsServer) -> None:
        async with living(desk, server.bus, silence=0.05) as (reader, client):
            await asyncio.to_thread(server.kill)
            desk.happen(1, 2)
            await eventually(lambda: desk.tracked() == 2)
            await eventually(lambda: reader.status.state == "polling")
            await asyncio.to_thread(lambda: server.start().wait())
            await eventually(lambda: client.is_connected)
            await eventually(lambda: reader.status.state == "live")
            desk.happen(3)
            await send(client, desk.rows(3))
            await eventually(lambda: desk.tracked() == 3)

    with running_nats(folder) as server:
        asyncio.run(asyncio.wait_for(scenario(server), 3 * SECONDS))
    assert desk.seen() == [1, 2, 3]


def test_a_reader_may_start_before_nats(desk: Desk, servers_folder: Path) -> None:
    folder = servers_folder / "nats-late"
    folder.mkdir()
    server = NatsServer(folder, durable=False)

    async def scenario() -> None:
        async with (
            BusLink(server.bus.url("sla_watcher"), "reader") as link,
            reading(desk, link) as reader,
        ):
            desk.happen(1)
            await eventually(lambda: desk.tracked() == 1)
            await asyncio.to_thread(lambda: server.start().wait())
            async with provisioned(server.bus.url("intake")):
                await eventually(lambda: reader.status.state == "live")

    try:
        asyncio.run(scenario())
    finally:
        server.stop()


def test_a_reader_answers_flow_control_so_that_more_events_come(
    desk: Desk, bus: Bus
) -> None:
    desk.happen(1)
    large = desk.rows()[0]._replace(state=bytes(60_000))
    count = 400

    async def scenario() -> None:
        async with (
            provisioned(bus.url("intake")) as client,
            BusLink(bus.url("sla_watcher"), "reader") as link,
        ):
            await eventually(lambda: link.client is not None)
            async with Deliveries(link).feed() as feed:
                await send(
                    client, (large._replace(position=n) for n in range(1, count + 1))
                )
                await eventually(lambda: len(feed._waiting) == count)

    asyncio.run(asyncio.wait_for(scenario(), 3 * SECONDS))


def test_readers_of_a_process_share_a_subscription_and_no_one_waits_for_a_slow_one(
    desk: Desk, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_feed, "WAITING_MAX", 2)
    desk.happen(1, 2, 3)

    async def scenario() -> None:
        async with (
            provisioned(bus.url("intake")) as client,
            BusLink(bus.url("sla_watcher"), "reader") as link,
        ):
            await eventually(lambda: link.client is not None)
            assert link.client is not None
            subscriptions = link.client._subs
            without = len(subscriptions)
            deliveries = Deliveries(link)
            async with deliveries.feed() as slow, deliveries.feed() as quick:
                for row in desk.rows():
                    await send(client, [row])
                    assert await quick.take(10, SECONDS) == [row]
                assert (slow.live, quick.live) == (False, True)
                assert await slow.take(10, 0) == []
                async with deliveries.feed() as third:
                    assert len(subscriptions) == without + 1
                    await client.jetstream().publish("desk.event.stray", b"hello")
                    await eventually(lambda: not third.live)
                    # At once: whoever waits here outlives the scenario.
                    assert await third.take(10, 4 * SECONDS) == []
                    assert (quick.live, third.live) == (False, False)
                # Who has left does not come back to what may deliver nothing any more.
                async with deliveries.feed() as again:
                    assert again.live
                    assert len(subscriptions) == without + 2
            assert len(subscriptions) == without

    asyncio.run(asyncio.wait_for(scenario(), 3 * SECONDS))
