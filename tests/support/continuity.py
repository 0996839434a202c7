"""What watches that the log continues, as it runs in a service."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial, wraps
from pathlib import Path
from typing import ParamSpec, cast

import pytest
from nats.aio.client import Client
from structlog.testing import capture_logs

from services.intake.relay import relay as relay_module
from services.intake.relay.relay import Relay, read_tail, relay_candidate
from shared.clock import Clock, real_clock
from shared.eventlog.append import AppendUnit
from shared.eventlog.continuity import watch as watch_module
from shared.eventlog.continuity.last_seen import LastSeen, read
from shared.eventlog.continuity.watch import ContinuityWatch
from shared.eventlog.continuity.witness import Witness
from shared.eventlog.errors import NotContinued, Unavailable
from shared.eventlog.log import EventLog
from shared.http.serve import end
from shared.messaging.connection import Link
from shared.messaging.streams import provision
from shared.observability.health import Check
from standalone.nats import Bus
from tests.support.key_ring import MASTER
from tests.support.patience import SECONDS, eventually
from tests.support.servers.nats_clients import connected_to
from tests.support.servers.servers import Database

Given = ParamSpec("Given")
NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)


def in_a_loop(
    test: Callable[Given, Coroutine[None, None, None]],
) -> Callable[Given, None]:
    """Return a test that runs in an event loop of its own."""

    @wraps(test)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


async def last_seen(bus: Bus) -> LastSeen | None:
    """Return the record in NATS."""
    async with connected_to(bus.url("admin")) as client:
        return (await read(client.jetstream())).seen


async def until_seen(bus: Bus, position: int) -> LastSeen:
    """Wait until the record has gone as far; return it."""

    async def is_seen() -> bool:
        seen = await last_seen(bus)
        return seen is not None and seen.position >= position

    await eventually(is_seen)
    seen = await last_seen(bus)
    assert seen
    return seen


@asynccontextmanager
async def watching(
    log: EventLog,
    bus: Bus,
    user: str = "intake",
    *,
    writes: bool = True,
    folder: Path | None = None,
) -> AsyncIterator[ContinuityWatch]:
    """Run a watch that has begun, as a service does; that of intake on made streams."""
    stop = asyncio.Event()
    async with Link(bus.url(user), "test") as link:
        await eventually(lambda: link.client is not None)
        assert link.client
        if user == "intake":
            await provision(link.client.jetstream())
        leads = (lambda: writes) if user == "intake" else None
        watch = ContinuityWatch(log, link, lambda: NOW, Witness(folder, user), leads)
        with pytest.MonkeyPatch.context() as limits:  # a busy NATS answers, too
            for limit in ("START_SECONDS", "ANSWER_SECONDS"):
                limits.setattr(f"shared.eventlog.continuity.watch.{limit}", SECONDS)
            await watch.begin(stop)
        running = asyncio.create_task(watch.run(stop))
        try:
            yield watch
        finally:
            stop.set()
            await end(running)


class LaterLink:
    """A link to a NATS that comes up when a test says so."""

    def __init__(self) -> None:
        self.client: Client | None = None
        self.generation = 0

    def up(self, client: Client) -> None:
        """Be connected from now on."""
        self.client, self.generation = client, 1


@dataclass
class Services:
    """Intake, with its relay, and one that only follows the log."""

    intake: EventLog
    relay: Relay
    watches: tuple[ContinuityWatch, ContinuityWatch]
    link: LaterLink

    async def checks(self) -> list[Check]:
        return [await each.probe() for each in self.watches]

    async def are_green(self) -> bool:
        return all(check.ready for check in await self.checks())

    async def are_red(self) -> bool:
        return not any(check.ready for check in await self.checks())

    async def are_green_and_know_nats(self) -> bool:
        return all(
            check.ready and "NATS" in check.words["compared_with"]
            for check in await self.checks()
        )


@asynccontextmanager
async def services(
    database: Database,
    link: LaterLink,
    folder: Path | None,
    clock: Clock = real_clock,
) -> AsyncIterator[Services]:
    """Run services that start now on what there is."""
    nats, stop = cast(Link, link), asyncio.Event()
    with (
        closing(open_log(database, "desk_intake", clock)) as intake,
        closing(open_log(database, "desk_projections", clock)) as other,
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
                yield Services(intake, relay, watches, link)
            finally:
                stop.set()


def open_log(database: Database, role: str, clock: Clock = real_clock) -> EventLog:
    dsn = database.dsn(role)
    return EventLog.open(dsn, master=MASTER, clock=clock, pool_size=3)


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


@contextmanager
def at_once() -> Iterator[None]:
    """Let nothing give up on a busy machine, and what is repeated be repeated soon.

    Nothing is printed: the command takes the place of the standard output meanwhile.
    """
    with pytest.MonkeyPatch.context() as limits, capture_logs():
        limits.setattr(watch_module, "LOOK_SECONDS", 0.05)
        limits.setattr(watch_module, "READ_SECONDS", 0.0)
        limits.setattr(watch_module, "ANSWER_SECONDS", SECONDS)
        limits.setattr(relay_module, "PUBLISH_SECONDS", SECONDS)
        limits.setattr(relay_module, "RETRY_SECONDS", 0.05)
        limits.setattr("cli.restored.ANSWER_SECONDS", SECONDS)
        for limit in ("NATS_SESSION_CONNECT_SECONDS", "GIVE_UP_SECONDS"):
            limits.setattr(f"shared.messaging.connection.{limit}", SECONDS)
        yield
