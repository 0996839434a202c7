"""A desk whose PostgreSQL, NATS and files crash, go back or are lost; what it gave out.

Intake with its relay, and a service that only follows, run in this process on a real
PostgreSQL and a real nats-server. A backup is a copy of the database, of what NATS has
and of the folder of files, each of which may be put back or not.
"""

import asyncio
import re
import shlex
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Literal, NamedTuple

import psycopg
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from typer.testing import CliRunner, Result

from cli.app import command_line
from services.intake.records.reference_numbers import new_refs
from services.intake.relay.relay import PURGE, publish, read_tail
from shared.clock import LeverClock, set_lever
from shared.eventlog.append import AppendUnit
from shared.eventlog.continuity.last_seen import LastSeen, read, seen_as, write
from shared.eventlog.continuity.witness import read_folder
from shared.eventlog.epochs import Epochs
from shared.eventlog.errors import NotContinued, Unavailable
from shared.eventlog.log import EventLog, Row
from shared.eventlog.recorder import tips_of
from shared.messaging import subjects
from shared.messaging.envelope import CHAIN, EPOCH
from shared.messaging.streams import provision
from standalone.nats import Bus
from tests.support.builders.short_events import incident, note
from tests.support.continuity import (
    LaterLink,
    Services,
    open_log,
    services,
    tail_and_record,
)
from tests.support.patience import SECONDS, eventually
from tests.support.servers.nats_clients import connected_to
from tests.support.servers.servers import Database, PostgresServer, delete_streams

BEGUN = datetime.fromisoformat("2026-01-07T08:00:00+00:00")
OLD = incident(0)
"""An incident that goes on through every restore."""
ROWS_MAX = 500
Fate = Literal["kept", "restored", "lost"]


@dataclass(frozen=True)
class Crash:
    """How a desk ends, what is left of it, and how it begins again."""

    lost: int = 1
    """How often something was recorded since the newest backup."""
    nats_saw: bool = True
    """Whether NATS was there meanwhile."""
    back: int | None = 0
    """The backup that PostgreSQL is taken back to, 0 the newest; None if to none."""
    nats: Fate = "kept"
    files: Fate = "kept"
    former: bool = False
    """Whether the version before wrote what NATS has."""
    minutes: int = 1
    """How long it takes until the desk begins again."""
    busy: int = 0
    """How many more incidents are opened then, one each second, before a backup."""
    first: Literal["nats", "services", "only services"] = "nats"
    """What starts first; without NATS until the next crash."""
    says: Literal["at once", "when asked"] = "when asked"
    """When a person says that it was restored, if they can leave it to the desk."""
    twice: bool = False
    """Whether a person who says that at once says it twice."""


class Backup(NamedTuple):
    """What is put back."""

    database: Database
    rows: Sequence[Row]
    epochs: Epochs
    record: LastSeen | None
    files: Path
    history: tuple[str, ...]


class _Log(NamedTuple):
    """What is in a log, to compare with what was seen of it."""

    chains: Sequence[bytes]
    restored: int

    @classmethod
    def of(cls, owner: psycopg.Connection[tuple[Any, ...]]) -> "_Log":
        """Read it."""
        rows = owner.execute("SELECT chain FROM log.events ORDER BY notification_id")
        chains = [bytes(chain) for (chain,) in rows.fetchall()]
        row = owner.execute(
            "SELECT coalesce(max(number), 0) FROM log.epochs WHERE cause = 'restore'"
        ).fetchone()
        assert row
        return cls(chains, row[0])

    @property
    def origin(self) -> str:
        """Which log it is."""
        return self.chains[0][:8].hex() if self.chains else ""

    def lacks(self, seen: LastSeen) -> bool:
        """Return whether it does not contain what was seen, and no restore says why."""
        return seen.mark.chain not in self.chains and seen.epoch >= self.restored


@dataclass
class RestoredDesk:
    """A desk, its backups, and everything that it ever gave out."""

    server: PostgresServer
    bus: Bus
    folder: Path
    database: Database
    backups: list[Backup] = field(default_factory=list)
    history: tuple[str, ...] = ()
    """What is in the log now."""
    names: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """What each reference, id or key stands for."""
    highest: int = 0
    """The highest number of an incident ever issued."""
    _unheard: set[str] = field(default_factory=set)
    """The events that were recorded while NATS, which knew better, was away."""
    _things: "count[int]" = field(default_factory=count)

    @property
    def files(self) -> Path:
        """Where the services keep what they have seen."""
        return self.folder / "seen"

    @property
    def _lever(self) -> Path:
        return self.folder / "lever"

    async def live(self, crashes: Sequence[Crash]) -> None:
        """Begin, then crash and begin again as told; fail if a name stands for two."""
        set_lever(self._lever, BEGUN)
        async with connected_to(self.bus.url("intake")) as client:
            await provision(client.jetstream(timeout=SECONDS))
            await self._back_up(client)
            await self._begin_again(client, Crash(back=None))
            for crash in crashes:
                await self._lose(client, crash)
                await self._begin_again(client, crash)

    @asynccontextmanager
    async def _running(self, client: Client | None) -> AsyncIterator[Services]:
        link, clock = LaterLink(), LeverClock(self._lever)
        if client:
            link.up(client)
        async with services(self.database, link, self.files, clock) as running:
            yield running

    async def _lose(self, client: Client, crash: Crash) -> None:
        """Record what the newest backup lacks, crash, and put back what is told."""
        if crash.lost:
            there = client if crash.nats_saw else None
            async with self._running(there) as running:
                unheard = await self._asked(running, client)
                for _ in range(crash.lost):
                    await self._record(running, compared=not unheard)
                if there:
                    await self._relayed(running, client)
        backup = self.backups[max(0, len(self.backups) - 1 - (crash.back or 0))]
        await self._put_back(client, crash, backup)
        self._pass(timedelta(minutes=crash.minutes))
        if crash.back is not None and self.history != backup.history:
            self.history = backup.history
            if crash.says == "at once" or not await self._who_knows(client):
                await self._say(client, twice=crash.twice)

    def _pass(self, time: timedelta) -> None:
        set_lever(self._lever, LeverClock(self._lever)() + time)

    async def _put_back(self, client: Client, crash: Crash, backup: Backup) -> None:
        if crash.back is not None:
            self.server.put_back(self.database, backup.database)
        if crash.nats != "kept":
            await delete_streams(self.bus.url("admin"))
        if crash.nats == "restored":
            await provision(client.jetstream(timeout=SECONDS))
            await _publish(client, backup)
        if crash.files != "kept":
            shutil.rmtree(self.files, ignore_errors=True)
        if crash.files == "restored":
            shutil.copytree(backup.files, self.files)
        if crash.former:
            await _as_the_version_before(client)

    async def _say(self, client: Client, *, twice: bool) -> None:
        """Say before the services start that it was restored."""
        known = ["--nats", self.bus.url("admin"), "--state-dir", str(self.files)]
        noticed = bool(await self._who_knows(client))
        done = await self._restored(*known)
        assert done.exit_code == (0 if noticed else 2), done.output
        for _ in range(twice + (not noticed)):
            done = await self._restored(*known, "--force")
            assert done.exit_code == 0, done.output

    async def _restored(self, *options: str) -> Result:
        given = ["restored", "--reason", "a test", "--by", "root", "--json"]
        given += ["--database", self.database.dsn("desk_admin")]
        given += ["--lever", str(self._lever), *options]
        return await asyncio.to_thread(
            lambda: CliRunner().invoke(command_line(), given)
        )

    async def _who_knows(self, client: Client, *, with_nats: bool = True) -> set[str]:
        """Return which witnesses know what the log lacks.

        A file that is of another log does not count beside a NATS that is of this one:
        the log was restored to nothing, and then to what it had been.
        """
        tail, record = await _nats_has(client)
        files = [seen for _, seen in read_folder(self.files).found]
        with psycopg.connect(self.database.owner_dsn) as owner:
            log = _Log.of(owner)
        if with_nats and any(seen.mark.chain in log.chains for seen in record):
            files = [seen for seen in files if seen.origin in {"", log.origin}]
        told = {"NATS": [*tail, *record], "files": files}
        return {
            name for name, all_seen in told.items() if any(map(log.lacks, all_seen))
        }

    async def _begin_again(self, client: Client, crash: Crash) -> None:
        """Start what there is in the order told, do what health says, and go on."""
        async with self._running(client if crash.first == "nats" else None) as running:
            unheard = await self._asked(running, client)
            if crash.first == "services":
                await self._record(running, compared=not unheard)
                running.link.up(client)
                unheard = await self._asked(running, client)
            if running.link.client:  # a new stream goes on from the end of the log
                await eventually(lambda: running.relay.has_compared)
            await eventually(running.are_green)
            await self._record(running, compared=not unheard)
            if running.link.client:
                await self._relayed(running, client)
        self._open_more(crash.busy)
        await self._back_up(client)

    def _open_more(self, number: int) -> None:
        """Let references be issued of which nothing else is left."""
        with psycopg.connect(self.database.owner_dsn) as owner:
            owner.execute(
                "SELECT nextval('intake.incident_numbers') FROM generate_series(1, %s)",
                (number,),
            )
        self.highest += number
        self._pass(timedelta(seconds=number))

    async def _asked(self, running: Services, client: Client) -> bool:
        """Do what health asks for, on another host, if anything there knows better.

        Returns whether only NATS does, and is not there.
        """
        there = running.link.client
        knows = await self._who_knows(client, with_nats=there is not None)
        if not knows or (knows == {"NATS"} and there is None):
            return bool(knows)
        await eventually(running.are_red)
        why = (await running.checks())[0].words["why"]
        command = re.search(r"`permanence restored ([^`]*)`", why)
        assert command, why
        nats = ["--nats", self.bus.url("admin")] if there else []
        done = await self._restored(*shlex.split(command[1]), *nats)
        assert done.exit_code == 0, done.output
        return False

    async def _record(self, running: Services, *, compared: bool = True) -> None:
        """Open an incident and go on with the old one; note what is given out.

        Not `compared`: NATS, which knows better, is not there, and health says so.
        """
        if not compared:
            for check in await running.checks():
                assert "NATS" not in check.words["compared_with"].split(" and ")
        await eventually(lambda: self._is_recorded(running.intake, compared))

    def _is_recorded(self, log: EventLog, compared: bool) -> bool:
        opened, more = f"thing {next(self._things)}", f"thing {next(self._things)}"
        try:
            with log.transaction() as cursor:
                (ref,) = new_refs(cursor, "incident", 1)
                version = tips_of(cursor, [OLD])[OLD].version + 1
                units = [
                    AppendUnit((note(f"incident-{ref}", 1, opened),)),
                    AppendUnit((note(OLD, version, more),)),
                ]
                log.append(cursor, units)
        except NotContinued:
            raise
        except Unavailable:
            return False  # after a renewal it is decided again
        epochs, head = log.epochs(), log.head().position
        if not compared:
            self._unheard |= {row.chain.hex() for row in log.rows_since(head - 2, 2)}
        self._give(f"reference {ref}", opened, compared)
        number = int(ref.removeprefix("INC-"))
        assert number > self.highest or not compared, f"{ref} after {self.highest}"
        self.highest = max(number, self.highest)
        for position, thing, key in (
            (head - 1, opened, f"{ref}/1"),
            (head, more, f"INC-000000/{version}"),
        ):
            self._give(f"key {epochs.key(key, position)}", thing, compared)
            self._give(f"id {epochs.id_at(position)}", thing, compared)
        self.history += (opened, more)
        return True

    def _give(self, name: str, thing: str, compared: bool) -> None:
        held = self.names[name]
        held.add(thing)
        assert held == {thing} or not compared, f"{name} stands for {sorted(held)}"

    async def _relayed(self, running: Services, client: Client) -> None:
        """Wait until NATS has all of the log; note the ids of its messages."""

        async def is_relayed() -> bool:
            if PURGE in running.relay.refusal:  # what it says has to help
                await client.jetstream(timeout=SECONDS).purge_stream(
                    subjects.EVENTS_STREAM
                )
            head = running.intake.head().position
            try:
                tail, record = await tail_and_record(client)
            except NotFoundError:
                return False  # not provisioned yet
            # A new stream goes on from the end of the log.
            is_there = tail == head or (tail == 0 and running.relay.has_compared)
            return is_there and record is not None and record.position == head

        await eventually(is_relayed)
        jetstream = client.jetstream(timeout=SECONDS)
        state = (await jetstream.stream_info(subjects.EVENTS_STREAM)).state
        for sequence in range(max(1, state.first_seq), state.last_seq + 1):
            message = await jetstream.get_msg(subjects.EVENTS_STREAM, seq=sequence)
            headers = message.headers or {}
            if EPOCH in headers:
                chain, name = headers[CHAIN], f"message {headers['ce-id']}"
                self._give(name, chain, compared=chain not in self._unheard)

    async def _back_up(self, client: Client) -> None:
        number = len(self.backups)
        with closing(open_log(self.database, "desk_intake")) as log:
            rows, epochs = log.rows_since(0, ROWS_MAX), log.epochs()
        _, record = await _nats_has(client)
        files = self.folder / f"seen-{number}"
        self.files.mkdir(exist_ok=True)
        shutil.copytree(self.files, files)
        copy = self.server.back_up(self.database)
        seen = record[0] if record else None
        self.backups.append(Backup(copy, rows, epochs, seen, files, self.history))


async def _nats_has(client: Client) -> tuple[list[LastSeen], list[LastSeen]]:
    """Return the end of the stream and the record, as far as there are any."""
    try:
        tail = (await read_tail(client, 0)).evidence
    except NotFoundError:
        tail = None
    record = (await read(client.jetstream(timeout=SECONDS))).seen
    return [seen_as(tail)] if tail else [], [record] if record else []


async def _publish(client: Client, backup: Backup) -> None:
    """Let NATS have what it had at the time of a backup."""
    if backup.rows:
        tail = await read_tail(client, 0)
        await publish(client, tail, backup.rows, backup.epochs)
    if backup.record:
        await write(client.jetstream(timeout=SECONDS), backup.record, 0)


async def _as_the_version_before(client: Client) -> None:
    """Let the record and the end of the stream be what the version before wrote.

    It did not say of which log a record is, and of which epoch a message.
    """
    jetstream = client.jetstream(timeout=SECONDS)
    try:
        record = (await read(jetstream)).seen
        state = (await jetstream.stream_info(subjects.EVENTS_STREAM)).state
        last = await jetstream.get_msg(subjects.EVENTS_STREAM, seq=state.last_seq or 1)
    except NotFoundError:
        return  # NATS has nothing
    if record:
        written = record.model_dump_json(exclude={"origin"})
        await jetstream.publish(subjects.LAST_SEEN, written.encode())
    headers = {
        key: value
        for key, value in (last.headers or {}).items()
        if key.startswith("Desk-") and key != EPOCH
    }
    await jetstream.publish(last.subject or "", last.data or b"", headers=headers)
