"""Whatever was restored, and in whichever order things start: health and command agree.

A desk knows its log up to position 4. Then PostgreSQL, NATS, both or neither go back to
position 2, the services start before or after NATS, and record more or fewer events
than were lost.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from nats.aio.client import Client
from typer.testing import CliRunner, Result

from cli.app import command_line
from services.intake.relay.relay import publish, read_tail
from shared.eventlog.continuity.last_seen import LastSeen
from shared.messaging import subjects
from shared.messaging.streams import provision
from standalone.nats import Bus
from tests.support.builders.short_events import incident, member
from tests.support.continuity import (
    LaterLink,
    Services,
    append,
    at_once,
    is_taken,
    open_log,
    services,
    tail_and_record,
)
from tests.support.faults.restore import go_back
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


@pytest.fixture(autouse=True)
def _limits() -> Iterator[None]:
    with at_once():
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
            link.up(client)
        async with services(database, link, own) as running:
            if case.is_noticed_at_once:
                await eventually(running.are_red)
                assert await _command_does(database, bus, folder, asked=True) == 0
                link.up(client)
            else:
                for version in range(1, case.since + 1):
                    append(running.intake, member(incident(2), version))
                link.up(client)
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
    link.up(client)
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
