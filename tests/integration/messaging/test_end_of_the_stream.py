"""What the relay does with a stream whose end the log lacks, or is no event at all."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing

import pytest
from nats.aio.client import Client

from services.intake.relay import relay as relay_module
from services.intake.relay.relay import Relay, relay_candidate
from shared.eventlog.continuity.epoch_renewal import Renewal, renew
from shared.eventlog.continuity.evidence import FIRST, EpochId, Mark
from shared.eventlog.continuity.last_seen import UNKNOWN_SERVER, seen_at
from shared.eventlog.log import EventLog, Row
from shared.http.serve import end
from shared.messaging import subjects
from shared.messaging.connection import Link
from shared.messaging.envelope import EPOCH, headers_of
from standalone.nats import Bus
from tests.support.desks.follower import AT, Desk, in_stream, provisioned
from tests.support.desks.relay import arrived, relaying
from tests.support.patience import eventually

pytestmark = pytest.mark.servers
CHAIN = "ab" * 32
DAMAGED: Mapping[str, Mapping[str, str]] = {
    "half a hash": {"Desk-Chain": "00" * 31},
    "no position": {"Desk-Position": "0"},
    "a position no log has": {"Desk-Position": str(2**63)},
    "no token": {EPOCH: "2-'; --"},
    "an epoch no log has": {EPOCH: f"{2**31}-5f3a09c1"},
}


@asynccontextmanager
async def trying(desk: Desk, bus: Bus) -> AsyncIterator[Relay]:
    """Run a relay meanwhile, which may find the stream or not."""
    stop = asyncio.Event()
    async with Link(bus.url("intake"), "relay") as link:
        candidate = relay_candidate(desk.database.dsn("desk_intake"))
        relay = Relay(desk.log, link, candidate)
        running = asyncio.create_task(relay.run(stop))
        try:
            yield relay
        finally:
            stop.set()
            await end(running)


async def put(client: Client, row: Row, **others: str) -> None:
    """Publish an event that no log holds; a header that is empty is left out."""
    changed = {"Desk-Position": "9", "Desk-Chain": CHAIN} | {
        name.replace("_", "-"): value for name, value in others.items()
    }
    headers = {k: v for k, v in (headers_of(row) | changed).items() if v}
    await client.jetstream().publish(
        subjects.event(row.type), row.state, headers=headers
    )


async def count(client: Client) -> int:
    info = await client.jetstream().stream_info(subjects.EVENTS_STREAM)
    return info.state.messages


@pytest.fixture
def event(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Row:
    monkeypatch.setattr(relay_module, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(relay_module, "OTHERS_MAX", 4)
    desk.happen(1, 2)
    return desk.rows(2)[0]


@pytest.mark.parametrize("rubbish", [3, 4])
def test_what_is_not_an_event_hides_nothing_that_the_log_lacks(
    desk: Desk, bus: Bus, event: Row, rubbish: int
) -> None:
    async def scenario() -> None:
        async with provisioned(bus.url("intake")) as client:
            await put(client, event)
            for _ in range(rubbish):
                await client.jetstream().publish(subjects.event("forged"), b"{}")
            async with trying(desk, bus) as relay:
                if rubbish < 4:
                    await eventually(lambda: desk.log.continuity.blocked is not None)
                else:
                    await eventually(lambda: "stream purge" in relay.refusal)
                assert not relay.has_compared
            assert await count(client) == 1 + rubbish

    asyncio.run(scenario())


@pytest.mark.usefixtures("event")
def test_a_stream_that_was_looked_through_and_holds_no_event_is_emptied(
    desk: Desk, bus: Bus
) -> None:
    async def scenario() -> None:
        async with provisioned(bus.url("intake")) as client:
            for _ in range(4):
                await client.jetstream().publish(subjects.event("forged"), b"{}")
            async with relaying(desk, bus.url("intake")) as relay:
                desk.happen(3)
                await arrived(relay, 3)
            assert await in_stream(client) == [3]

    asyncio.run(scenario())


def test_what_arrives_while_the_stream_is_emptied_stays(
    desk: Desk, bus: Bus, event: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has looked whether the log has it."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with provisioned(bus.url("intake")) as client:
            for _ in range(4):
                await client.jetstream().publish(subjects.event("forged"), b"{}")

            def arrives(*_: object) -> None:
                monkeypatch.undo()
                asyncio.run_coroutine_threadsafe(put(client, event), loop).result()

            monkeypatch.setattr(Relay, "_demand", arrives)
            async with trying(desk, bus) as relay:
                await eventually(lambda: desk.log.continuity.blocked is not None)
                assert not relay.has_compared
            assert await count(client) == 1

    asyncio.run(scenario())


def test_an_event_with_damaged_headers_is_not_an_event(
    desk: Desk, bus: Bus, event: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be evidence that nobody can keep, or renew the epoch with."""
    monkeypatch.setattr(relay_module, "OTHERS_MAX", len(DAMAGED) + 1)

    async def scenario() -> None:
        async with provisioned(bus.url("intake")) as client:
            async with relaying(desk, bus.url("intake")) as relay:
                desk.happen(3)
                await arrived(relay, 3)
            before = await count(client)
            for headers in DAMAGED.values():
                await put(client, event, **headers)
            async with relaying(desk, bus.url("intake")) as relay:
                desk.happen(4)
                await arrived(relay, 4)
            assert await count(client) == before + len(DAMAGED) + 1

    asyncio.run(scenario())


@pytest.mark.parametrize("label", ["", "1"])
def test_an_end_of_no_named_epoch_is_purged_only_if_the_record_went_as_far(
    desk: Desk, bus: Bus, event: Row, label: str
) -> None:
    """An older version sent it, maybe in the epoch of which the log lacks it."""
    with closing(EventLog.open(desk.database.dsn("desk_admin"))) as admin:
        renew(admin, Renewal("restore", "a test", "person:root", AT), None)

    async def recorded(client: Client, position: int, epoch: EpochId) -> None:
        seen = seen_at(Mark(position, bytes.fromhex(CHAIN)), epoch, UNKNOWN_SERVER)
        body = seen.model_dump_json().encode()
        await client.jetstream().publish(subjects.LAST_SEEN, body)

    async def scenario() -> None:
        async with provisioned(bus.url("intake")) as client:
            await put(client, event, Desk_Epoch=label)
            async with trying(desk, bus) as relay:
                if not label:
                    await eventually(lambda: "an older version" in relay.refusal)
                    await recorded(client, 8, FIRST)
                    assert await count(client) == 1
                    assert not relay.has_compared
                    await recorded(client, 9, FIRST)
                await eventually(lambda: relay.has_compared)
                desk.happen(3)
                await arrived(relay, 4)
            assert 9 not in await in_stream(client)

    asyncio.run(scenario())
