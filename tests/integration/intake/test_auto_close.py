"""What stays silent is closed once, what speaks is not: on real servers."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import psycopg
import pytest

from services.intake.auto_close.store import due
from services.intake.commands.pending_command import PendingCommand
from services.intake.log_follower import log_follower
from shared.clock import Setting
from shared.domain.commands.incident import Attach, Open, Reopen, Resolve
from shared.domain.events.incident import IncidentClosed
from shared.domain.events.notification import (
    NotificationConfirmed,
    NotificationRequested,
)
from shared.domain.identifiers import escalation_stream, incident_stream
from shared.eventlog.batcher import Batcher
from shared.eventlog.log import EventLog
from shared.http.serve import end
from shared.messaging.commands import Answered
from tests.integration.intake.commands.test_commands import INC, done
from tests.integration.intake.conftest import MASTER, NOW, Hands, hands_on
from tests.integration.intake.signals.test_receiving import DISK, receive
from tests.support.patience import eventually
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

# The starter policy closes after 10 hours around the clock.
DUE = NOW + timedelta(hours=10)
FORCED = Resolve(force=True, reason="the probe is unplugged")
"""Resolves what still fires."""


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def setting(self) -> Setting:
        return Setting(self.now, runs=False)


@asynccontextmanager
async def at_work(
    hands: Hands, watch: Watch, processes: int = 1
) -> AsyncIterator[None]:
    """Run the closing of so many processes of intake."""
    stop = asyncio.Event()
    with ThreadPoolExecutor(2) as executor:
        tasks = []
        for _ in range(processes):
            commands = Batcher[PendingCommand, Answered](
                hands.commands.flush, executor, weight_max=10, waiting_max=100
            )
            work = log_follower(hands.log, watch, commands)
            tasks += [
                asyncio.create_task(commands.run()),
                asyncio.create_task(work.run(stop)),
            ]
        try:
            yield
        finally:
            stop.set()
            for task in tasks:
                await end(task)


def waited_for(log: EventLog) -> dict[str, datetime | None]:
    """Return the silences that are known, and when each is due."""
    with log.transaction() as cursor:
        rows = cursor.execute("SELECT incident, due_at FROM intake.silences").fetchall()
    return dict(rows)


def tracked(log: EventLog) -> int:
    with log.transaction() as cursor:
        row = cursor.execute("SELECT position FROM intake.tracking").fetchone()
    return row[0] if row else 0


def closures(hands: Hands, ref: str = INC) -> list[IncidentClosed]:
    history = hands.log.history(incident_stream(ref))
    return [e.event for e in history if isinstance(e.event, IncidentClosed)]


def reported_and_resolved(hands: Hands) -> None:
    mail = Open(title="No mail", reporter="lefevre", channel="email")
    done(hands, mail, None)
    done(hands, Resolve(note="rebooted"))


def told(database: Database, hands: Hands) -> None:
    """Let the message that it is resolved have left."""
    history = hands.log.history(incident_stream(INC))
    (version,) = (e.version for e in history if e.type == "incident.resolved")
    common = {"incident": INC, "at": NOW, "by": "system:escalation", "key": "k1"}
    log = EventLog.open(database.dsn("desk_escalation"), master=MASTER, pool_size=1)
    log.record(
        escalation_stream(INC),
        0,
        [
            NotificationRequested(
                **common,
                policy=1,
                kind="resolved",
                audience="user",
                channel="mail",
                person="lefevre",
                cause_stream=incident_stream(INC),
                cause_version=version,
            ),
            NotificationConfirmed(**common, attempts=1, receipt="250"),
        ],
    )
    log.close()


def test_what_is_silent_is_closed_once_by_any_number_of_processes(
    ruled: Database,
) -> None:
    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=8), Watch()
        reported_and_resolved(hands)
        async with at_work(hands, watch, processes=2):
            await eventually(lambda: waited_for(hands.log) == {INC: None})
            told(ruled, hands)
            await eventually(lambda: waited_for(hands.log) == {INC: DUE})
            with hands.log.transaction() as cursor:
                assert not due(cursor, DUE - timedelta(seconds=1), 10)
            watch.now = DUE
            await eventually(lambda: waited_for(hands.log) == {})
        (closed,) = closures(hands)
        assert (closed.cause, closed.by) == ("silence", "system:intake")

    asyncio.run(story())


def test_what_nobody_reported_needs_no_message(ruled: Database) -> None:
    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=8), Watch()
        receive(hands, DISK)
        done(hands, FORCED)
        watch.now = DUE
        async with at_work(hands, watch):
            await eventually(lambda: len(closures(hands)) == 1)

    asyncio.run(story())


def test_who_answers_or_comes_back_is_not_closed_over(ruled: Database) -> None:
    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=8), Watch()
        reported_and_resolved(hands)
        receive(hands, DISK)
        done(hands, FORCED, "INC-000002")
        told(ruled, hands)
        done(hands, Attach(person="lefevre", channel="email", words="Non !"))
        done(hands, Reopen(), "INC-000002")
        watch.now = DUE
        async with at_work(hands, watch):
            head = hands.log.head().position
            await eventually(lambda: tracked(hands.log) == head)
            assert waited_for(hands.log) == {}
        assert not closures(hands)
        assert not closures(hands, "INC-000002")

    asyncio.run(story())


def test_an_answer_that_is_not_read_yet_is_heard_all_the_same(ruled: Database) -> None:
    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=8), Watch()
        reported_and_resolved(hands)
        done(hands, Attach(person="lefevre", channel="email", words="Non !"))
        with psycopg.connect(ruled.owner_dsn) as owner:
            # As a reader left it that has not come to the answer.
            owner.execute("INSERT INTO intake.silences VALUES (%s, 1, %s)", (INC, NOW))
            head = hands.log.head()
            owner.execute(
                "INSERT INTO intake.tracking VALUES ('closing', %s, %s, %s)",
                (head.position, head.chain, head.recorded_at),
            )
        async with at_work(hands, watch):
            await eventually(lambda: waited_for(hands.log) == {INC: None})
        assert not closures(hands)

    asyncio.run(story())


def test_made_anew_from_the_log_it_closes_nothing_twice(ruled: Database) -> None:
    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=8), Watch()
        receive(hands, DISK)
        done(hands, FORCED)
        watch.now = DUE
        async with at_work(hands, watch):
            await eventually(lambda: len(closures(hands)) == 1)
        with psycopg.connect(ruled.owner_dsn) as owner:
            owner.execute("TRUNCATE intake.silences, intake.tracking, intake.parked")
        async with at_work(hands, watch):
            head = hands.log.head().position
            await eventually(lambda: tracked(hands.log) == head)
        assert len(closures(hands)) == 1
        assert waited_for(hands.log) == {}

    asyncio.run(story())
