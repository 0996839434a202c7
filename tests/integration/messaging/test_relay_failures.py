"""The relay when NATS dies, forgets, or holds what is not ours."""

import asyncio
import shutil
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from nats.aio.client import Client
from structlog.testing import capture_logs

from services.intake.relay import relay as relay_module
from services.intake.relay.probe import RelayProbe
from services.intake.relay.relay import publish, read_tail
from shared.eventlog.continuity.epoch_renewal import Renewal, renew
from shared.eventlog.log import EventLog
from shared.messaging import payload, subjects
from shared.messaging.connection import Link
from standalone.nats import Bus
from tests.support.desks.follower import AT, Desk, in_stream, provisioned
from tests.support.desks.relay import arrived, relaying
from tests.support.faults.restore import count_looks, go_back
from tests.support.patience import SECONDS, eventually
from tests.support.servers.proxy import Proxy, proxy_before
from tests.support.servers.servers import NatsServer, running_nats

pytestmark = pytest.mark.servers
TRIES = 5


def test_a_lost_acknowledgement_does_not_publish_twice(
    desk: Desk, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "PUBLISH_SECONDS", 5.0)  # waited for in vain
    address = urlsplit(bus.url("intake"))
    assert address.port

    async def scenario(proxy: Proxy) -> None:
        behind = bus.url("intake").replace(str(address.port), str(proxy.port))
        async with (
            provisioned(bus.url("intake")) as client,
            relaying(desk, behind) as relay,
        ):
            proxy.lose_answer_to = b"Nats-Batch-Commit"
            desk.happen(1, 2, 3)
            await asyncio.to_thread(proxy.lost.wait, SECONDS)
            desk.happen(4)
            await arrived(relay, 4)
            assert proxy.lost.is_set()
            assert await in_stream(client) == [1, 2, 3, 4]

    with proxy_before(address.port) as proxy:
        asyncio.run(scenario(proxy))


def test_a_wiped_stream_is_made_anew_and_filled_from_then_on(
    desk: Desk, bus: Bus, nats_server: NatsServer
) -> None:
    async def scenario() -> None:
        async with (
            provisioned(bus.url("intake")) as client,
            relaying(desk, bus.url("intake")) as relay,
        ):
            desk.happen(1)
            await arrived(relay, 1)
            await asyncio.to_thread(nats_server.wipe)
            desk.happen(2)
            await arrived(relay, 2)
            desk.happen(3)
            await arrived(relay, 3)
            assert (await in_stream(client))[-1] == 3
            info = await client.jetstream().stream_info(subjects.EVENTS_STREAM)
            assert info.config.allow_atomic

    asyncio.run(scenario())


def test_a_purged_stream_goes_on(desk: Desk, bus: Bus) -> None:
    async def scenario() -> None:
        async with (
            provisioned(bus.url("intake")) as client,
            relaying(desk, bus.url("intake")) as relay,
        ):
            desk.happen(1, 2)
            await arrived(relay, 2)
            await client.jetstream().purge_stream(subjects.EVENTS_STREAM)
            desk.happen(3)
            await arrived(relay, 3)
            assert await in_stream(client) == [3]

    asyncio.run(scenario())


def test_a_stream_that_has_seen_more_is_emptied_only_in_a_new_epoch(
    desk: Desk, bus: Bus
) -> None:
    """As where an older copy of the database was put beside NATS."""
    desk.happen(1, 2)
    (other,) = desk.rows(2)

    async def renewed(client: Client) -> None:
        await eventually(lambda: desk.log.continuity.blocked is not None)
        assert await in_stream(client) == [9]
        with closing(EventLog.open(desk.database.dsn("desk_admin"))) as admin:
            renew(admin, Renewal("restore", "a test", "person:root", AT), None)

    async def scenario() -> None:
        async with provisioned(bus.url("intake")) as client:
            tail = await read_tail(client, 0)
            await publish(client, tail, [other._replace(chain=bytes(32), position=9)])
            renewing = asyncio.create_task(renewed(client))
            async with relaying(desk, bus.url("intake")) as relay:
                await renewing
                desk.happen(3)
                await arrived(relay, 4)
                assert (await in_stream(client))[-1] == 4
                assert (await read_tail(client, 0)).epoch == desk.log.continuity.epoch
            assert 9 not in await in_stream(client)

    asyncio.run(scenario())


def test_a_message_that_is_not_an_event_leaves_the_stream_as_it_is(
    desk: Desk, bus: Bus
) -> None:
    async def scenario() -> None:
        async with provisioned(bus.url("intake")) as client:
            async with relaying(desk, bus.url("intake")) as relay:
                desk.happen(1)
                await arrived(relay, 1)
            for _ in range(2):
                await client.jetstream().publish(subjects.event("forged"), b"{}")
            desk.happen(2)
            async with relaying(desk, bus.url("intake")) as relay:
                desk.happen(3)
                await arrived(relay, 3)
            state = (await client.jetstream().stream_info(subjects.EVENTS_STREAM)).state
            assert (state.first_seq, state.last_seq) == (1, 5)

    asyncio.run(scenario())


def test_a_setting_of_nats_that_is_in_the_way_is_told(
    desk: Desk, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "RETRY_SECONDS", 0.01)

    async def scenario() -> None:
        async with (
            Link(bus.url("intake"), "probe") as link,
            relaying(desk, bus.url("intake")) as relay,
        ):
            probe = RelayProbe(desk.log, link, relay)
            assert not (await probe()).alarm
            with monkeypatch.context() as larger:
                larger.setattr(payload, "PAYLOAD_MIN", 2**21)
                larger.setattr(relay_module, "LOOK_AGAIN_SECONDS", 0.0)
                await eventually(lambda: bool(relay.refusal))
                check = await probe()
                assert check.ready
                assert "max_payload" in check.alarm
            await eventually(lambda: not relay.refusal)

    asyncio.run(scenario())


def test_a_log_that_went_back_is_told_of_once_and_nobody_leads(
    desk: Desk, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "LOOK_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(relay_module, "RETRY_SECONDS", 0.01)
    looks = count_looks(monkeypatch)
    desk.happen(1, 2)

    async def scenario() -> list[str]:
        async with relaying(desk, bus.url("intake")) as relay:
            await arrived(relay, 2)
            with capture_logs() as lines:
                go_back(desk.database, 1)
                await eventually(
                    lambda: any(one["event"] == "log.away" for one in lines)
                )
                before = len(looks)
                await eventually(lambda: len(looks) >= before + TRIES)
            assert not relay.leads
            return [str(one["event"]) for one in lines]

    said = asyncio.run(scenario())
    assert [one for one in said if not one.startswith("nats.")] == ["log.away"]


def test_streams_are_made_again_once_nats_is_back_without_them(
    desk: Desk, servers_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "LOOK_AGAIN_SECONDS", 1_000)
    folder = servers_folder / "nats-emptied"
    folder.mkdir()

    async def scenario(server: NatsServer) -> None:
        async with (
            relaying(desk, server.bus.url("intake")),
            Link(server.bus.url("admin"), "test") as link,
        ):
            await eventually(lambda: link.client is not None)
            await asyncio.to_thread(server.kill)
            shutil.rmtree(server.bus.home / "jetstream")
            await asyncio.to_thread(lambda: server.start().wait())
            await eventually(lambda: link.generation > 1 and link.client is not None)
            assert link.client
            jetstream = link.client.jetstream()

            async def both_are_there() -> bool:
                return len(await jetstream.streams_info()) >= 2

            await eventually(both_are_there)

    with running_nats(folder) as server:
        asyncio.run(asyncio.wait_for(scenario(server), 3 * SECONDS))


def test_nats_killed_again_and_again_gets_each_event_once(
    desk: Desk, servers_folder: Path
) -> None:
    folder = servers_folder / "nats-killed"
    folder.mkdir()

    async def scenario(server: NatsServer) -> None:
        async with relaying(desk, server.bus.url("intake")) as relay:
            for _ in range(3):
                writing = asyncio.create_task(asyncio.to_thread(write, desk))
                await arrived(relay, relay._state.position + 50)
                await asyncio.to_thread(server.kill)
                await writing
                await asyncio.to_thread(lambda: server.start().wait())
            await arrived(relay, desk.log.head().position)
            async with provisioned(server.bus.url("intake")) as client:
                assert await in_stream(client) == [r.position for r in desk.rows()]

    with running_nats(folder) as server:
        asyncio.run(scenario(server))


def write(desk: Desk) -> None:
    for _ in range(20):
        desk.happen(*range(20))
