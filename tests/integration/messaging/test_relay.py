"""The relay: each event once, in order, whoever dies."""

import asyncio

import pytest
from nats.js.errors import APIError

from services.intake.relay.relay import (
    BATCH,
    Relay,
    Tail,
    batch_of,
    publish,
    read_tail,
    relay_candidate,
)
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import follows
from shared.eventlog.recorder import PendingEvent
from shared.messaging import subjects
from shared.messaging.connection import Link
from shared.messaging.envelope import headers_of, row_of
from standalone.nats import Bus
from tests.support.builders.short_events import incident
from tests.support.desks.follower import Desk, in_stream, provisioned
from tests.support.desks.relay import arrived, relaying, usurper
from tests.support.patience import eventually

pytestmark = pytest.mark.servers


def test_each_event_is_published_once_in_order_and_as_it_is_stored(
    desk: Desk, bus: Bus
) -> None:
    async def scenario() -> None:
        async with (
            relaying(desk, bus.url("intake")) as relay,
            provisioned(bus.url("intake")) as client,
        ):
            desk.happen(1, 2, 1)
            await arrived(relay, 3)  # an empty stream would be begun at the head
            desk.happen(*range(100, 1_000))
            desk.happen(*range(100, 400))
            await arrived(relay, 1_203)
            assert await in_stream(client) == list(range(1, 1_204))
            message = await client.jetstream().get_msg(
                subjects.EVENTS_STREAM, seq=2, direct=True
            )
            first, second = desk.rows(1, 2)
            assert row_of(message.headers, message.data or b"") == second
            assert follows(first.chain, second)
            assert message.subject == "desk.event.incident.acknowledged"
            assert message.headers
            assert message.headers["ce-type"] == "incident.acknowledged"
            assert "Nats-Msg-Id" not in message.headers

    asyncio.run(scenario())


def test_an_empty_stream_is_begun_at_the_head_of_the_log(desk: Desk, bus: Bus) -> None:
    async def scenario() -> None:
        desk.happen(1, 2)
        async with (
            relaying(desk, bus.url("intake")) as relay,
            provisioned(bus.url("intake")) as client,
        ):
            desk.happen(3)
            await arrived(relay, 3)
            assert await in_stream(client) == [3]

    asyncio.run(scenario())


def test_the_next_relay_goes_on_where_the_stream_ends(desk: Desk, bus: Bus) -> None:
    async def scenario() -> None:
        async with provisioned(bus.url("intake")) as client:
            async with relaying(desk, bus.url("intake")) as relay:
                desk.happen(1)
                await arrived(relay, 1)
            desk.happen(2)
            async with relaying(desk, bus.url("intake")) as relay:
                desk.happen(3)
                await arrived(relay, 3)
            assert await in_stream(client) == [1, 2, 3]

    asyncio.run(scenario())


def test_one_relay_leads_and_one_that_was_thrown_out_stands_again(
    desk: Desk, bus: Bus
) -> None:
    sessions = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'permanence relay'"
    )

    async def scenario() -> None:
        stop = asyncio.Event()
        async with (
            Link(bus.url("intake"), "relays") as link,
            provisioned(bus.url("intake")) as client,
        ):
            dsn = desk.database.dsn("desk_intake")
            relays = [Relay(desk.log, link, relay_candidate(dsn)) for _ in range(2)]
            running = [asyncio.create_task(relay.run(stop)) for relay in relays]
            await eventually(lambda: any(relay._state.found for relay in relays))
            await eventually(lambda: len(desk.ask(sessions)) == 2)
            assert sum(relay._state.leads for relay in relays) == 1
            desk.happen(1)  # an empty stream would be begun at the head
            await eventually(lambda: any(r._state.position == 1 for r in relays))
            before = set(desk.ask(sessions))
            desk.ask(f"SELECT pg_terminate_backend(pid) FROM ({sessions}) AS s")
            await eventually(lambda: len(set(desk.ask(sessions)) - before) == 2)
            desk.happen(2)
            await eventually(lambda: any(r._state.position == 2 for r in relays))
            assert sum(relay._state.leads for relay in relays) == 1
            assert await in_stream(client) == [1, 2]
            stop.set()
            await asyncio.gather(*running)

    asyncio.run(scenario())


def test_two_relays_that_both_believe_to_lead_publish_each_event_once(
    desk: Desk, bus: Bus
) -> None:
    async def scenario() -> None:
        url = bus.url("intake")
        async with (
            relaying(desk, url, usurper) as one,
            relaying(desk, url, usurper) as other,
            provisioned(url) as client,
        ):
            for _ in range(40):
                await asyncio.to_thread(desk.happen, 1, 2, 3)
            await asyncio.gather(arrived(one, 120), arrived(other, 120))
            assert await in_stream(client) == list(range(1, 121))

    asyncio.run(scenario())


def test_a_batch_that_is_fenced_off_leaves_nothing(desk: Desk, bus: Bus) -> None:
    desk.happen(1, 2, 3, 4)
    first, *others = desk.rows()

    async def scenario() -> None:
        async with provisioned(bus.url("intake")) as client:
            stale = await read_tail(client, 0)
            tail = await publish(client, stale, [first])
            with pytest.raises(APIError, match="wrong last sequence"):
                await publish(client, stale, others)
            with pytest.raises(APIError, match="wrong last sequence"):
                await publish(client, stale, others[:1])
            assert await in_stream(client) == [1]
            assert await publish(client, tail, others) == Tail(4, 4, others[-1].chain)
            assert await in_stream(client) == [1, 2, 3, 4]

    asyncio.run(scenario())


def test_half_a_batch_leaves_nothing(desk: Desk, bus: Bus) -> None:
    """Its relay died in the middle; the next one begins where the stream ends."""
    desk.happen(1, 2, 3)
    rows = desk.rows()

    async def scenario() -> None:
        async with provisioned(bus.url("intake")) as client:
            tail = await read_tail(client, 0)
            for number, row in enumerate(rows[:2], start=1):
                headers = headers_of(row) | {
                    "Nats-Batch-Id": "the-dead-one",
                    "Nats-Batch-Sequence": str(number),
                }
                await client.publish(
                    subjects.event(row.type), row.state, headers=headers
                )
            await client.flush()
            assert await in_stream(client) == []
            await publish(client, tail, rows)
            assert await in_stream(client) == [1, 2, 3]

    asyncio.run(scenario())


def test_a_batch_keeps_to_its_limits(desk: Desk) -> None:
    desk.happen(1)
    (row,) = desk.rows()
    large = row._replace(state=bytes(64_000))

    assert len(batch_of([row] * 1_000)) == BATCH
    assert len(batch_of([large] * 1_000)) == 62
    assert len(batch_of([row._replace(state=bytes(5_000_000)), row])) == 1


def test_the_largest_events_are_relayed(desk: Desk, bus: Bus) -> None:
    async def scenario() -> None:
        async with (
            provisioned(bus.url("intake")) as client,
            relaying(desk, bus.url("intake")) as relay,
        ):
            words = b'{"words":"' + b"a" * 65_000 + b'"}'
            members = [
                AppendUnit((PendingEvent(incident(n), 1, "incident.scribbled", words),))
                for n in range(15)
            ]
            with desk.log.transaction() as cursor:
                desk.log.append(cursor, members)
            await arrived(relay, 15)
            assert await in_stream(client) == list(range(1, 16))

    asyncio.run(scenario())
