"""A small desk to follow: a log, a table that readers fill, and what NATS is told."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from nats.aio.client import Client

from shared.database.cursors import Cursors
from shared.domain.events.incident import IncidentAcknowledged
from shared.eventlog.append import AppendUnit
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog, Row
from shared.eventlog.readers.position import Bookmark
from shared.eventlog.readers.reader import SILENCE_SECONDS, STANDBY_SECONDS, Reader
from shared.eventlog.readers.transaction import Apply
from shared.eventlog.recorder import versions
from shared.http.serve import end
from shared.messaging import subjects
from shared.messaging.connection import Link
from shared.messaging.envelope import POSITION, headers_of
from shared.messaging.live_feed import Deliveries
from shared.messaging.streams import provision
from tests.support.builders.short_events import incident
from tests.support.patience import SECONDS
from tests.support.servers.nats_clients import connected_to
from tests.support.servers.servers import Database

PATIENT = 3_600.0
"""A silence too long for a test to wait for: what comes, comes from NATS."""
Entries = Sequence[Entry]
BOOKMARK = Bookmark("sla", "sla_watcher")
AT = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Desk:
    """A log, written as intake, read as the SLA watcher; and the table `sla.seen`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with psycopg.connect(database.owner_dsn) as connection:
            connection.execute(
                "CREATE TABLE sla.seen (n bigserial, position bigint, stream text)"
            )
            connection.execute(
                "GRANT ALL ON sla.seen, sla.seen_n_seq TO desk_sla_watcher"
            )
        self.log = EventLog.open(database.dsn("desk_intake"), pool_size=2)
        self.readers_log = EventLog.open(database.dsn("desk_sla_watcher"), pool_size=4)

    def close(self) -> None:
        """Give the connections back."""
        self.log.close()
        self.readers_log.close()

    def happen(self, *numbers: int) -> None:
        """Record the next event of each of these incidents, in this order."""
        members = []
        with self.log.transaction() as cursor:
            known = dict(versions(cursor, [incident(n) for n in {*numbers}]))
            for n in numbers:
                stream = incident(n)
                known[stream] = known.get(stream, 0) + 1
                event = IncidentAcknowledged(
                    at=AT, by="person:ann", incident=f"INC-{n:06d}", policy=1
                )
                stored = self.log.stored(stream, known[stream], event)
                members.append(AppendUnit((stored,)))
            self.log.append(cursor, members)

    def rows(self, *positions: int) -> list[Row]:
        """Return these events as stored."""
        by_position = {row.position: row for row in self.log.rows_since(0, 5_000)}
        return [by_position[p] for p in positions or sorted(by_position)]

    def seen(self) -> list[int]:
        """Return the positions that were applied, in the order of application."""
        return [
            position
            for (position,) in self.ask("SELECT position FROM sla.seen ORDER BY n")
        ]

    def parked(self) -> list[int]:
        """Return the positions that are parked."""
        query = "SELECT position FROM sla.parked ORDER BY position"
        return [position for (position,) in self.ask(query)]

    def tracked(self) -> int:
        """Return the tracked position, 0 for none."""
        rows = self.ask("SELECT position FROM sla.tracking")
        return int(rows[0][0]) if rows else 0

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return what the owner is answered."""
        with psycopg.connect(self.database.owner_dsn) as connection:
            return connection.execute(query).fetchall()

    def tell(self, statement: str) -> None:
        """Run a statement as the owner."""
        with psycopg.connect(self.database.owner_dsn) as connection:
            connection.execute(statement)


def apply(cursor: Cursors, entries: Entries) -> None:
    """Note each entry in `sla.seen`."""
    cursor.execute(
        "INSERT INTO sla.seen (position, stream)"
        " SELECT * FROM unnest(%s::bigint[], %s::text[])",
        ([e.position for e in entries], [e.stream for e in entries]),
    )


@asynccontextmanager
async def reading(
    desk: Desk,
    link: Link | None = None,
    apply: Apply = apply,
    *,
    silence: float = SILENCE_SECONDS,
    standby: float = STANDBY_SECONDS,
) -> AsyncIterator[Reader]:
    """Run a reader meanwhile; it must end once it is told to."""
    stop = asyncio.Event()
    reader = Reader(
        desk.readers_log,
        BOOKMARK,
        apply,
        Deliveries(link),
        silence=silence,
        standby=standby,
    )
    running = asyncio.create_task(reader.run(stop))
    try:
        yield reader
    finally:
        stop.set()
        if silence != PATIENT:  # it listens so long before it looks
            await asyncio.wait({running}, timeout=SECONDS)
            assert running.done(), "the reader does not stop"
        await end(running)


@asynccontextmanager
async def provisioned(url: str) -> AsyncIterator[Client]:
    """Give a connection to a bus whose streams are made."""
    async with connected_to(url) as client:
        await provision(client.jetstream())
        yield client


async def send(client: Client, rows: Iterable[Row]) -> None:
    """Publish these events, as wrong as one likes."""
    for row in rows:
        await client.jetstream().publish(
            subjects.event(row.type), row.state, headers=headers_of(row)
        )


async def in_stream(client: Client) -> list[int]:
    """Return the positions of the messages in the stream, in its order."""
    jetstream = client.jetstream()
    state = (await jetstream.stream_info(subjects.EVENTS_STREAM)).state
    if not state.messages:
        return []
    found = []
    for sequence in range(state.first_seq, state.last_seq + 1):
        message = await jetstream.get_msg(
            subjects.EVENTS_STREAM, seq=sequence, direct=True
        )
        assert message.headers
        found.append(int(message.headers[POSITION]))
    return found
