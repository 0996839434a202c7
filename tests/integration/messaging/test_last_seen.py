"""What NATS remembers of the log tells a restore of an older copy of the database."""

import asyncio
import json
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import psycopg
import pytest
from nats.aio.client import Client

from services.intake.records.reference_numbers import new_refs
from shared.eventlog.append import AppendUnit
from shared.eventlog.continuity.epoch_renewal import MARGIN, Renewal, renew
from shared.eventlog.continuity.last_seen import (
    LastSeen,
    Overwritten,
    read,
    write,
)
from shared.eventlog.continuity.watch import ContinuityWatch
from shared.eventlog.continuity.witness import Witness
from shared.eventlog.errors import NotContinued
from shared.eventlog.log import EventLog
from shared.messaging import subjects
from shared.messaging.connection import Link
from shared.messaging.streams import provision, provision_last_seen
from standalone.nats import Bus
from tests.support.builders.short_events import incident, member
from tests.support.continuity import NOW, in_a_loop, last_seen, until_seen, watching
from tests.support.faults.restore import go_back
from tests.support.folders import reachable_folder
from tests.support.key_ring import MASTER
from tests.support.patience import eventually
from tests.support.servers.nats_clients import connected_to
from tests.support.servers.servers import (
    Database,
    PostgresServer,
    delete_streams,
    running_postgres,
)

pytestmark = pytest.mark.servers
RESTORE = Renewal("restore", "backup of 07:45", "person:root", NOW)


def open_log(database: Database, role: str = "desk_intake") -> EventLog:
    return EventLog.open(database.dsn(role), master=MASTER, pool_size=3)


def append(log: EventLog, *members: AppendUnit) -> None:
    with log.transaction() as cursor:
        log.append(cursor, members)


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    with closing(open_log(database)) as log:
        yield log


@pytest.mark.parametrize("user", ["intake", "sla_watcher", "escalation", "projections"])
@in_a_loop
async def test_a_service_that_starts_on_an_older_copy_decides_nothing(
    database: Database, bus: Bus, log: EventLog, user: str
) -> None:
    append(log, member(incident(1), 1, 2, 3))
    async with watching(log, bus):
        await until_seen(bus, 3)
    go_back(database, 2)

    with closing(open_log(database)) as fresh:
        async with watching(fresh, bus, user, writes=False) as watch:
            check = await watch.probe()
            assert not check.ready
            assert "permanence restored" in check.words["why"]
            with pytest.raises(NotContinued):
                append(fresh, member(incident(1), 3))

            with closing(open_log(database, "desk_admin")) as admin:
                epoch = renew(admin, RESTORE, await last_seen(bus))
            await eventually(lambda: fresh.continuity.blocked is None)
            append(fresh, member(incident(1), 3))
    assert epoch.begins_after == 2
    assert epoch.id.number == 2


@in_a_loop
async def test_without_a_record_the_log_is_taken_as_it_is(
    bus: Bus, log: EventLog
) -> None:
    append(log, member(incident(1), 1))
    async with watching(log, bus, writes=False) as watch:
        assert (await watch.probe()).ready
        append(log, member(incident(1), 2))


@in_a_loop
async def test_what_a_process_has_written_itself_is_no_comparison(
    database: Database, bus: Bus, log: EventLog
) -> None:
    append(log, member(incident(1), 1))
    async with watching(log, bus) as watch:
        await until_seen(bus, 1)
        await watch._learn()
        check = await watch.probe()
        assert check.words["compared_with"].startswith("nothing")
    with closing(open_log(database)) as fresh:
        async with watching(fresh, bus) as watch:
            assert (await watch.probe()).words["compared_with"] == "NATS"


@pytest.mark.parametrize("emptied", [True, False])
@in_a_loop
async def test_a_service_that_found_no_contradiction_reads_what_is_put_there(
    database: Database, bus: Bus, log: EventLog, emptied: bool
) -> None:
    """Another process knew more, and wrote it where there was nothing, or less."""
    append(log, member(incident(1), 1))
    async with watching(log, bus):
        less = await until_seen(bus, 1)
        append(log, member(incident(1), 2, 3))
        seen = await until_seen(bus, 3)
    await delete_streams(bus.url("admin"))
    if not emptied:
        await put(bus, less)
    go_back(database, 2)

    with (
        closing(open_log(database)) as fresh,
        pytest.MonkeyPatch.context() as limits,
    ):
        limits.setattr("shared.eventlog.continuity.watch.READ_SECONDS", 0.0)
        async with watching(fresh, bus, "sla_watcher", writes=False) as watch:
            assert (await watch.probe()).ready
            append(fresh, member(incident(2), 1, 2))
            await put(bus, seen)
            await eventually(lambda: fresh.continuity.blocked is not None)


class LaterLink:
    """A link to a NATS that comes up after the services."""

    def __init__(self) -> None:
        self.client: Client | None = None
        self.generation = 0

    def up(self, client: Client) -> None:
        """Be connected from now on."""
        self.client, self.generation = client, 1


@in_a_loop
async def test_a_record_that_the_log_lacks_is_not_written_over_once_nats_is_there(
    database: Database, bus: Bus, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(log, member(incident(1), 1, 2, 3))
    async with watching(log, bus):
        seen = await until_seen(bus, 3)
    go_back(database, 2)
    monkeypatch.setattr("shared.eventlog.continuity.watch.START_SECONDS", 0.0)
    link, stop = LaterLink(), asyncio.Event()

    with closing(open_log(database)) as fresh:
        watch = ContinuityWatch(
            fresh,
            cast(Link, link),
            lambda: NOW,
            Witness(None, "intake"),
            lambda: True,
        )
        await watch.begin(stop)
        append(fresh, member(incident(2), 1, 2, 3))
        assert (await watch.probe()).ready
        async with (
            connected_to(bus.url("intake")) as client,
            asyncio.TaskGroup() as group,
        ):
            link.up(client)
            group.create_task(watch.run(stop))
            await eventually(lambda: fresh.continuity.blocked is not None)
            assert await last_seen(bus) == seen
            with closing(open_log(database, "desk_admin")) as admin:
                renew(admin, RESTORE, seen)
            assert (await until_seen(bus, 6)).epoch == 2
            stop.set()


async def put(bus: Bus, seen: LastSeen) -> None:
    """Write a record into the bucket, whatever is in it."""
    async with connected_to(bus.url("intake")) as client:
        js = client.jetstream()
        await provision_last_seen(js)
        await js.publish(subjects.LAST_SEEN, seen.model_dump_json().encode())


async def is_wiped(bus: Bus, _: LastSeen) -> None:
    await delete_streams(bus.url("admin"))


async def is_filled_by_one_that_knew_nothing(bus: Bus, seen: LastSeen) -> None:
    older = seen.server.model_copy(update={"numbers": {"incident": 1}})
    await delete_streams(bus.url("admin"))
    # Whatever is there: the process that remembers may have been faster.
    await put(bus, seen.model_copy(update={"position": 1, "server": older}))


@pytest.mark.parametrize("suffers", [is_wiped, is_filled_by_one_that_knew_nothing])
@in_a_loop
async def test_a_blocked_process_puts_back_what_it_remembers(
    database: Database,
    bus: Bus,
    log: EventLog,
    suffers: Callable[[Bus, LastSeen], Coroutine[None, None, None]],
) -> None:
    """Nobody leads meanwhile, so each process of intake does it."""
    append(log, member(incident(1), 1, 2, 3))
    with log.transaction() as cursor:
        new_refs(cursor, "incident", 7)
    async with watching(log, bus):
        seen = await until_seen(bus, 3)
    async with watching(log, bus, writes=False):
        go_back(database, 2)
        await eventually(lambda: log.continuity.blocked is not None)
        await suffers(bus, seen)

        assert await until_seen(bus, 3) == seen


RUBBISH: dict[str, dict[str, object]] = {
    "no_hash": {"chain": "rubbish"},
    "half_a_hash": {"chain": "00" * 31},
    "no_position": {"position": -1},
    "a_position_no_log_has": {"position": 2**63},
    "no_epoch": {"epoch": 0},
    "no_token": {"token": "'; --"},
}


@pytest.mark.parametrize("wrong", RUBBISH.values(), ids=RUBBISH)
@in_a_loop
async def test_a_damaged_record_counts_as_none_and_is_replaced(
    database: Database, bus: Bus, log: EventLog, wrong: dict[str, object]
) -> None:
    append(log, member(incident(1), 1))
    async with watching(log, bus):
        seen = await until_seen(bus, 1)
    damaged = json.dumps(seen.model_dump() | wrong).encode()
    async with connected_to(bus.url("intake")) as client:
        await client.jetstream().publish(subjects.LAST_SEEN, damaged)

    with closing(open_log(database)) as fresh:
        async with watching(fresh, bus) as watch:
            assert (await watch.probe()).ready
            append(fresh, member(incident(1), 2))
            await until_seen(bus, 2)


@in_a_loop
async def test_what_somebody_else_does_to_the_record_is_undone(
    bus: Bus, log: EventLog
) -> None:
    """The operator may not write it, but may have JetStream send its answer there."""
    append(log, member(incident(1), 1))
    async with watching(log, bus):
        await until_seen(bus, 1)
        request = json.dumps({"last_by_subj": subjects.LAST_SEEN}).encode()
        wanted = f"$JS.API.STREAM.MSG.GET.{subjects.LAST_SEEN_STREAM}"
        async with connected_to(bus.url("admin")) as admin:
            await admin.publish(wanted, request, reply=subjects.LAST_SEEN)
            await admin.publish(subjects.LAST_SEEN, b"refused")
            await admin.flush()
        await eventually(lambda: is_written_again(bus))
        await until_seen(bus, 1)


async def is_written_again(bus: Bus) -> bool:
    """Tell whether there were three records: ours, the other's, and ours again."""
    async with connected_to(bus.url("admin")) as client:
        return (await read(client.jetstream())).revision >= 3


@in_a_loop
async def test_an_epoch_is_above_every_epoch_known_outside(
    database: Database, bus: Bus, log: EventLog
) -> None:
    append(log, member(incident(1), 1, 2))
    with log.transaction() as cursor:
        new_refs(cursor, "incident", 7)
    async with watching(log, bus):
        seen = await until_seen(bus, 2)
    told = seen.model_copy(update={"epoch": 5, "token": "5f3a09c1"})

    with closing(open_log(database, "desk_admin")) as admin:
        epoch = renew(admin, RESTORE, told)

    assert epoch.id.number == 6
    with log.transaction() as cursor:
        (ref,) = new_refs(cursor, "incident", 1)
    assert int(ref.removeprefix("INC-")) > 7 + MARGIN


@in_a_loop
async def test_a_stale_writer_does_not_overwrite(bus: Bus) -> None:
    seen = LastSeen.model_validate(
        {
            "epoch": 1,
            "token": "",
            "position": 3,
            "chain": "00" * 32,
            "server": {
                "system_identifier": "7",
                "timeline": 1,
                "database_oid": 5,
                "numbers": {},
            },
        }
    )
    async with connected_to(bus.url("intake")) as client:
        js = client.jetstream()
        await provision(js)
        held = await write(js, seen, 0)

        with pytest.raises(Overwritten):
            await write(js, seen, 0)
        await write(js, seen, held.revision)


@in_a_loop
async def test_a_promotion_that_continues_renews_the_epoch_by_itself(bus: Bus) -> None:
    with (
        reachable_folder() as folder,
        running_postgres(folder) as server,
        closing(open_log(server.fresh_database())) as log,
    ):
        append(log, member(incident(1), 1))
        async with watching(log, bus):
            await until_seen(bus, 1)
            promote(server)
            await eventually(lambda: _number(log) == 2)
            seen = await until_seen(bus, 2)
            append(log, member(incident(1), 2))
        epochs = log.epochs()
    assert (seen.epoch, seen.server.timeline) == (2, 2)
    assert epochs.key("INC-000001/1", 1) == "INC-000001/1"
    assert epochs.key("INC-000001/1", 3) == f"INC-000001/1@{epochs.newest.label}"


def _number(log: EventLog) -> int:
    epoch = log.continuity.epoch
    return epoch.number if epoch else 0


def promote(server: PostgresServer) -> None:
    """Let it come up as a standby, and make it a primary on a timeline of its own."""
    signal = Path(server.cluster.data, "standby.signal")
    server.stop()
    signal.touch(mode=0o600)
    account = server.cluster.data.stat()
    os.chown(signal, account.st_uid, account.st_gid)
    server.start().wait()
    with psycopg.connect(server.cluster.dsn("postgres"), autocommit=True) as owner:
        assert owner.execute("SELECT pg_promote()").fetchone() == (True,)
