"""The streams are made once, and put right where somebody changed them."""

import asyncio
import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DiscardPolicy, RetentionPolicy
from nats.js.errors import APIError

from shared.messaging import streams, subjects
from shared.messaging.payload import PAYLOAD_MIN
from shared.messaging.streams import (
    SIGNAL_BYTES_MAX,
    SIGNALS_BYTES_MAX,
    SIGNALS_MAX,
    SIGNALS_OF_SOURCE_MAX,
    SIGNALS_PENDING_MAX,
    Refused,
    demand_payload,
    events_stream,
    last_seen_bucket,
    provision,
    signals_stream,
)
from standalone import doctor
from standalone.nats import Bus, jetstream
from tests.support.desks.follower import provisioned
from tests.support.patience import SECONDS
from tests.support.servers.nats_clients import connected_to
from tests.support.servers.servers import running_nats

pytestmark = pytest.mark.servers


def test_what_is_there_is_left_alone(bus: Bus) -> None:
    async def scenario() -> None:
        async with provisioned(bus.url("intake")) as client:
            assert await provision(client.jetstream()) == []

    asyncio.run(scenario())


def test_more_copies_than_servers_are_refused_with_what_to_do(bus: Bus) -> None:
    async def scenario() -> None:
        async with provisioned(bus.url("intake")) as client:
            with pytest.raises(Refused, match=r"PERMANENCE_NATS_REPLICAS .* out"):
                await provision(client.jetstream(), 3)
            await client.jetstream().delete_stream(subjects.EVENTS_STREAM)
            with pytest.raises(Refused, match="as one cluster"):
                await provision(client.jetstream(), 3)

    asyncio.run(scenario())


def test_a_server_that_takes_too_little_is_refused_with_the_figures(
    servers_folder: Path,
) -> None:
    folder = servers_folder / "nats-of-small-messages"
    folder.mkdir()

    async def refused(bus: Bus) -> str:
        async with connected_to(bus.url("intake")) as client:
            with pytest.raises(Refused) as refusal:
                demand_payload(client)
            js = client.jetstream()
            with pytest.raises(Refused, match=r"no room for DESK_SIGNALS.* 2GB"):
                await provision(js)
            earlier = signals_stream(1).evolve(
                max_bytes=1_000_000,
                max_msgs_per_subject=-1,
                discard_new_per_subject=False,
            )
            await js.add_stream(earlier)
            for _ in range(2):  # how it is kept, and what was missing is there
                said = " ".join(await provision(js))
                assert re.search(r"left DESK_SIGNALS with 1000000 .* 2GB", said)
            held = (await js.stream_info(subjects.SIGNALS_STREAM)).config
            assert held.max_msgs_per_subject == SIGNALS_OF_SOURCE_MAX
        return str(refusal.value)

    with running_nats(folder, durable=False) as server:
        file = server.bus.config_file
        config = {**json.loads(file.read_bytes()), "max_payload": PAYLOAD_MIN - 1}
        config["jetstream"]["max_file_store"] = SIGNALS_BYTES_MAX
        file.write_text(json.dumps(config), encoding="utf-8")
        server.stop()
        server.start().wait()

        said = asyncio.run(refused(server.bus))
        found = doctor._bus(server.bus.url("intake"))

    assert f"at most {PAYLOAD_MIN - 1} bytes" in said
    assert f"up to {PAYLOAD_MIN}: set its max_payload to 1MB" in said
    assert not found.ok
    assert f"{PAYLOAD_MIN - 1}" in found.sentence
    assert found.advice.startswith("Set its max_payload to 1MB")


def test_events_are_kept_in_atomic_batches_and_may_be_wiped(bus: Bus) -> None:
    async def scenario() -> None:
        async with (
            provisioned(bus.url("admin")) as admin,
            provisioned(bus.url("intake")) as intake,
        ):
            info = await admin.jetstream().stream_info(subjects.EVENTS_STREAM)
            assert info.config.allow_atomic
            assert info.config.max_age == 7 * 86_400
            await intake.jetstream().publish("desk.event.x", b"")
            with pytest.raises(APIError, match="message delete not permitted"):
                await admin.jetstream().delete_msg(subjects.EVENTS_STREAM, 1)
            assert await admin.jetstream().purge_stream(subjects.EVENTS_STREAM)

    asyncio.run(scenario())


def test_a_full_queue_of_signals_refuses_and_forgets_nothing(bus: Bus) -> None:
    async def scenario() -> None:
        async with provisioned(bus.url("admin")) as client:
            jetstream = client.jetstream()
            config = (await jetstream.stream_info(subjects.SIGNALS_STREAM)).config
            assert config.retention == RetentionPolicy.WORK_QUEUE
            assert config.discard == DiscardPolicy.NEW
            await jetstream.update_stream(signals_stream(1).evolve(max_msgs=2))
            await jetstream.publish("desk.signal.a", b"first")
            await jetstream.publish("desk.signal.a", b"second")
            with pytest.raises(APIError, match="maximum messages exceeded"):
                await jetstream.publish("desk.signal.a", b"third")
            first = await jetstream.get_msg(subjects.SIGNALS_STREAM, seq=1)
            assert first.data == b"first"

    asyncio.run(scenario())


def test_a_source_that_fills_its_share_is_refused_and_no_other(bus: Bus) -> None:
    async def scenario() -> None:
        async with provisioned(bus.url("admin")) as client:
            jetstream = client.jetstream()
            few = signals_stream(1).evolve(max_msgs_per_subject=1)
            await jetstream.update_stream(few)
            await jetstream.publish("desk.signal.a", b"first")
            with pytest.raises(APIError, match="maximum messages per subject"):
                await jetstream.publish("desk.signal.a", b"second")
            await jetstream.publish("desk.signal.b", b"of another")

    asyncio.run(scenario())


def test_the_largest_messages_of_one_source_leave_room_for_others() -> None:
    streams_of_all = events_stream(1), signals_stream(1), last_seen_bucket(1)
    room = int(str(jetstream("", durable=True)["max_file_store"]))

    assert SIGNALS_OF_SOURCE_MAX * SIGNAL_BYTES_MAX < SIGNALS_BYTES_MAX * 2 / 3
    assert sum(each.max_bytes or 0 for each in streams_of_all) < room


def test_a_queue_of_an_earlier_version_is_limited_when_that_deletes_nothing(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NATS deletes what is above a new limit, and more may come at any time."""
    monkeypatch.setattr(streams, "SIGNALS_OF_SOURCE_MAX", 3)
    counted = streams._waiting_of_source

    async def state(js: JetStreamContext) -> tuple[int, int | None, int | None]:
        info = await js.stream_info(subjects.SIGNALS_STREAM)
        limit = info.config.max_msgs_per_subject
        return info.state.messages, limit, info.config.max_msgs

    async def scenario() -> None:
        async with (
            provisioned(bus.url("intake")) as intake,
            connected_to(bus.url("admin")) as source,
        ):
            js = intake.jetstream()
            await js.update_stream(
                signals_stream(1).evolve(
                    max_msgs_per_subject=-1, discard_new_per_subject=False
                )
            )

            async def send(times: int) -> None:
                for _ in range(times):
                    await source.jetstream().publish("desk.signal.a", b"{}")

            async def late(js: JetStreamContext) -> int:
                found = await counted(js)
                with suppress(APIError):
                    await send(2)
                return found

            await send(2)
            monkeypatch.setattr(streams, "_waiting_of_source", late)
            said = await provision(js)
            assert await state(js) == (4, -1, SIGNALS_MAX)
            assert said[-1].endswith("a source has over 3 in it")

            monkeypatch.setattr(streams, "_waiting_of_source", counted)
            await provision(js)
            assert await state(js) == (4, -1, SIGNALS_MAX)

            await js.purge_stream(subjects.SIGNALS_STREAM, keep=3)
            await provision(js)
            assert await state(js) == (3, 3, SIGNALS_MAX)

    asyncio.run(scenario())


def test_a_queue_that_another_process_shut_is_not_opened_before_it_is_limited(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = streams._waiting_of_source

    async def scenario() -> None:
        async with (
            provisioned(bus.url("intake")) as intake,
            connected_to(bus.url("admin")) as source,
        ):
            js = intake.jetstream()
            await source.jetstream().publish("desk.signal.a", b"{}")
            await js.update_stream(
                signals_stream(1).evolve(
                    max_msgs=1, max_msgs_per_subject=-1, discard_new_per_subject=False
                )
            )

            async def late(js: JetStreamContext) -> int:
                with pytest.raises(APIError, match="maximum messages exceeded"):
                    await source.jetstream().publish("desk.signal.a", b"{}")
                return await counted(js)

            monkeypatch.setattr(streams, "_waiting_of_source", late)
            await provision(js)
            await source.jetstream().publish("desk.signal.a", b"{}")

    asyncio.run(scenario())


def test_a_changed_stream_and_a_changed_consumer_are_put_right(bus: Bus) -> None:
    async def scenario() -> None:
        async with provisioned(bus.url("intake")) as client:
            jetstream = client.jetstream()
            await jetstream.update_stream(signals_stream(1).evolve(max_msgs=2))
            await jetstream.add_consumer(
                subjects.SIGNALS_STREAM,
                ConsumerConfig(
                    durable_name=subjects.SIGNALS_CONSUMER,
                    filter_subject=subjects.SIGNALS,
                    ack_wait=1,
                    max_ack_pending=1,
                ),
            )
            done = await provision(jetstream)
            assert [what.split(":")[0] for what in done] == [
                "changed stream DESK_SIGNALS",
                "changed consumer intake",
            ]
            held = await jetstream.consumer_info(
                subjects.SIGNALS_STREAM, subjects.SIGNALS_CONSUMER
            )
            assert held.config.max_ack_pending == SIGNALS_PENDING_MAX
            assert await provision(jetstream) == []

    asyncio.run(scenario())


def test_a_consumer_that_was_deleted_is_made_again(bus: Bus) -> None:
    async def scenario() -> None:
        async with provisioned(bus.url("intake")) as client:
            jetstream = client.jetstream()
            await jetstream.delete_consumer(
                subjects.SIGNALS_STREAM, subjects.SIGNALS_CONSUMER
            )
            assert await provision(jetstream) == ["made consumer intake"]

    asyncio.run(scenario())


def test_two_that_provision_at_once_both_succeed(bus: Bus) -> None:
    async def scenario() -> None:
        async with provisioned(bus.url("intake")) as client:
            for stream in (subjects.EVENTS_STREAM, subjects.SIGNALS_STREAM):
                await client.jetstream().delete_stream(stream)
            await asyncio.gather(*(provision(client.jetstream()) for _ in range(4)))
            assert await provision(client.jetstream()) == []

    asyncio.run(scenario())


def test_what_waits_in_the_queue_is_given_again_until_it_is_acknowledged(
    bus: Bus,
) -> None:
    async def scenario() -> None:
        async with (
            provisioned(bus.url("admin")) as admin,
            provisioned(bus.url("intake")) as intake,
        ):
            await admin.jetstream().publish("desk.signal.a", b"{}")
            assert await deliveries(intake, 4) == [1, 2, 3, 4]

    asyncio.run(scenario())


async def deliveries(client: Client, count: int) -> list[int]:
    """Take one signal and give it back, again and again."""
    subscription = await client.jetstream().pull_subscribe_bind(
        subjects.SIGNALS_CONSUMER, subjects.SIGNALS_STREAM
    )
    seen = []
    for _ in range(count):
        (message,) = await subscription.fetch(1, timeout=SECONDS)
        seen.append(message.metadata.num_delivered)
        await message.nak()
    return seen
