"""Whatever was restored, and in whichever order things start: health and command agree.

A desk knows its log up to position 4. Then PostgreSQL, NATS, both or neither go back to
position 2, the services start before or after NATS, and record more or fewer events
than were lost.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, cast

import pytest
from nats.aio.client import Client
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from cli.app import command_line
from services.intake.relay import relay as relay_module
from services.intake.relay.relay import Relay, publish, read_tail, relay_candidate
from shared.eventlog.append import AppendUnit
from shared.eventlog.continuity import watch as watch_module
from shared.eventlog.continuity.last_seen import LastSeen, read
from shared.eventlog.continuity.watch import ContinuityWatch
from shared.eventlog.continuity.witness import Witness
from shared.eventlog.errors import NotContinued, Unavailable
from shared.eventlog.log import EventLog
from shared.messaging import subjects
from shared.messaging.connection import Link
from shared.messaging.streams import provision
from shared.observability.health import Check
from standalone.nats import Bus
from tests.support.builders.short_events import incident, member
from tests.support.continuity import NOW
from tests.support.faults.restore import go_back
from tests.support.key_ring import MASTER
from tests.support.patience import SECONDS, eventually
from tests.support.servers.nats_clients import connected_to
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers
HEAD, BACKUP = 4, 2


@dataclass(frozen=True)
class Case:
    """What goes back to the backup, what starts first, and what happens meanwhile."""

    restored: frozenset[str]
    files: bool
    """Whether the services have what they saw on their own disk."""
    nats: Literal["first", "later"]
    since: int = 0
    """How many events are recorded before NATS is there."""

    @property
    def is_noticed(self) -> bool:
        """Whether anything outside the database knows more than the database."""
        outside = {"bucket", "stream"} - self.restored
        return "postgres" in self.restored and bool(outside or self.files)

    @property
    def is_noticed_at_once(self) -> bool:
        return "postgres" in self.restored and self.files

    def __str__(self) -> str:
        what = "+".join(sorted(self.restored)) or "nothing"
        files = "files" if self.files else "no files"
        return f"{what} restored, {files}, NATS {self.nats}, {self.since} since"


POSTGRES = frozenset({"postgres"})
NATS = frozenset({"bucket", "stream"})
CASES = [
    Case(NATS, files=True, nats="later", since=1),
    Case(POSTGRES, files=False, nats="first"),
    *(Case(POSTGRES, files=False, nats="later", since=since) for since in (1, 3)),
    Case(POSTGRES | {"bucket"}, files=False, nats="later", since=3),
    Case(POSTGRES | NATS, files=False, nats="later", since=1),
    Case(POSTGRES | NATS, files=True, nats="later"),
]


class LaterLink:
    """A link to a NATS that comes up when a test says so."""

    def __init__(self) -> None:
        self.client: Client | None = None
        self.generation = 0


@dataclass
class Services:
    """Intake, with its relay, and one that only follows the log."""

    intake: EventLog
    relay: Relay
    watches: tuple[ContinuityWatch, ContinuityWatch]

    async def checks(self) -> list[Check]:
        return [await each.probe() for each in self.watches]

    async def are_red(self) -> bool:
        return not any(check.ready for check in await self.checks())

    async def are_green_and_know_nats(self) -> bool:
        return all(
            check.ready and "NATS" in check.words["compared_with"]
            for check in await self.checks()
        )


@asynccontextmanager
async def services(
    database: Database, link: LaterLink, folder: Path | None
) -> AsyncIterator[Services]:
    """Run services that start now on what there is."""
    nats, stop, clock = cast(Link, link), asyncio.Event(), lambda: NOW
    with (
        closing(open_log(database, "desk_intake")) as intake,
        closing(open_log(database, "desk_projections")) as other,
    ):
        relay = Relay(intake, nats, relay_candidate(database.dsn("desk_intake")))
        witness = partial(Witness, folder)
        watches = (
            ContinuityWatch(
                intake, nats, clock, witness("intake"), lambda: relay.has_compared
            ),
            ContinuityWatch(other, nats, clock, witness("projections")),
        )
        with pytest.MonkeyPatch.context() as patience:
            waits = SECONDS if link.client else 0.0
            patience.setattr(watch_module, "START_SECONDS", waits)
            for watch in watches:
                await watch.begin(stop)
        async with asyncio.TaskGroup() as group:
            for each in (*watches, relay):
                group.create_task(each.run(stop))
            try:
                yield Services(intake, relay, watches)
            finally:
                stop.set()


def open_log(database: Database, role: str) -> EventLog:
    return EventLog.open(database.dsn(role), master=MASTER, pool_size=3)


def append(log: EventLog, *members: AppendUnit) -> None:
    with log.transaction() as cursor:
        log.append(cursor, members)


def is_taken(log: EventLog, unit: AppendUnit) -> bool:
    """Return whether an event was recorded: after a renewal it is decided again."""
    try:
        append(log, unit)
    except NotContinued:
        raise
    except Unavailable:
        return False
    return True


async def tail_and_record(client: Client) -> tuple[int, LastSeen | None]:
    jetstream = client.jetstream(timeout=SECONDS)
    return (await read_tail(client, 0)).position, (await read(jetstream)).seen


@pytest.fixture(autouse=True)
def _limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing gives up on a busy machine, and what is repeated is repeated soon.

    Nothing is printed: the command takes the place of the standard output meanwhile.
    """
    monkeypatch.setattr(watch_module, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(watch_module, "READ_SECONDS", 0.0)
    monkeypatch.setattr(watch_module, "ANSWER_SECONDS", SECONDS)
    monkeypatch.setattr(relay_module, "PUBLISH_SECONDS", SECONDS)
    monkeypatch.setattr(relay_module, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr("cli.restored.ANSWER_SECONDS", SECONDS)
    for limit in ("NATS_SESSION_CONNECT_SECONDS", "GIVE_UP_SECONDS"):
        monkeypatch.setattr(f"shared.messaging.connection.{limit}", SECONDS)
    with capture_logs():
        yield


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_restore_is_noticed_by_all_and_the_command_does_what_they_ask_for(
    database: Database, bus: Bus, tmp_path: Path, case: Case
) -> None:
    asyncio.run(asyncio.wait_for(_story(database, bus, tmp_path, case), 3 * SECONDS))


async def _story(database: Database, bus: Bus, folder: Path, case: Case) -> None:
    own = folder if case.files else None
    async with connected_to(bus.url("intake")) as client:
        await provision(client.jetstream(timeout=SECONDS))
        await _live(database, client, own)
        before = await _go_back(database, client, case)
        link = LaterLink()
        if case.nats == "first":
            link.client, link.generation = client, 1
        async with services(database, link, own) as running:
            if case.is_noticed_at_once:
                await eventually(running.are_red)
                assert await _command_does(database, bus, folder, asked=True) == 0
                link.client, link.generation = client, 1
            else:
                for version in range(1, case.since + 1):
                    append(running.intake, member(incident(2), version))
                link.client, link.generation = client, 1
                await _settle(running, client, case, before)
                asked = case.is_noticed
                code = await _command_does(database, bus, folder, asked=asked)
                assert code == (0 if asked else 2)
            await eventually(running.are_green_and_know_nats)
            version = case.since + 1
            await eventually(
                lambda: is_taken(running.intake, member(incident(2), version))
            )
            epoch = running.intake.continuity.epoch
            assert epoch
            assert epoch.number == (2 if case.is_noticed else 1)


async def _live(database: Database, client: Client, folder: Path | None) -> None:
    """Record four events, which all that is outside the database has seen."""
    link = LaterLink()
    link.client, link.generation = client, 1
    async with services(database, link, folder) as running:
        # An empty stream would go on from the end of the log.
        await eventually(lambda: running.relay.has_compared)
        append(running.intake, member(incident(1), 1))
        for version in range(2, HEAD + 1):
            append(running.intake, member(incident(1), version))

        async def seen() -> bool:
            tail, record = await tail_and_record(client)
            return tail == HEAD and record is not None and record.position == HEAD

        await eventually(seen)


async def _go_back(
    database: Database, client: Client, case: Case
) -> tuple[int, LastSeen | None]:
    """Restore what the case says; return what NATS knows then."""
    with closing(open_log(database, "desk_intake")) as log:
        backup = log.rows_since(0, BACKUP)
    _, record = await tail_and_record(client)
    assert record
    if "postgres" in case.restored:
        go_back(database, BACKUP)
    jetstream = client.jetstream(timeout=SECONDS)
    if "stream" in case.restored:
        await jetstream.purge_stream(subjects.EVENTS_STREAM)
        await publish(client, await read_tail(client, 0), backup)
    if "bucket" in case.restored:
        at = {"position": BACKUP, "chain": backup[-1].chain.hex()}
        older = record.model_copy(update=at)
        await jetstream.publish(subjects.LAST_SEEN, older.model_dump_json().encode())
    return await tail_and_record(client)


async def _settle(
    running: Services, client: Client, case: Case, before: tuple[int, LastSeen | None]
) -> None:
    """Wait until everything was compared; nothing that contradicts is written over."""
    if case.is_noticed:
        await eventually(running.are_red)
        tail, record = await tail_and_record(client)
        assert tail == before[0]
        if "bucket" not in case.restored:
            assert record == before[1]
        return
    head = running.intake.head().position

    async def kept() -> bool:
        tail, record = await tail_and_record(client)
        return tail == head and record is not None and record.position == head

    await eventually(kept)
    await eventually(running.are_green_and_know_nats)


async def _command_does(
    database: Database, bus: Bus, folder: Path, *, asked: bool
) -> int:
    """Run `permanence restored` as an admin who copies nothing from health."""
    given = ["restored", "--reason", "a test", "--by", "root", "--json"]
    given += ["--database", database.dsn("desk_admin"), "--nats", bus.url("admin")]
    given += ["--state-dir", str(folder)]
    done: Result = await asyncio.to_thread(
        lambda: CliRunner().invoke(command_line(), given)
    )
    if asked and done.exit_code == 0:
        assert json.loads(done.stdout)["epoch"] == 2
    return done.exit_code
