"""Writes the log to PostgreSQL: a custom recorder for the `eventsourcing` library.

It differs from the library's recorder wherever that lost events or froze in trials: no
pipeline mode (a large save waits forever), no database functions (a reader misses
events), no blind retry (a lost commit answer looks like a conflict), gapless positions,
a hash chain, and tables created by `permanence migrate`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.rows import tuple_row

from shared.clock import Clock, real_clock
from shared.database.cursors import Cursors
from shared.eventlog.entry import GENESIS, Link, chained

APPEND_LOCK = "LOCK TABLE log.append_lock IN EXCLUSIVE MODE"
"""Takes the lock that orders all appends; always the last one taken.

The table is empty. Only roles that append have a right on it, so a reader cannot block
them, as it could with an advisory lock.
"""
HOLD_SECONDS = 4
"""The maximum time for which a transaction may hold the append lock."""

_TRANSACTION_TIMEOUT_SINCE = 170_000

_HEAD = """
SELECT notification_id, recorded_at, chain FROM log.events
ORDER BY notification_id DESC LIMIT 1
"""
# The instant is read after the lock was granted; NULL if the caller's instant counts.
_LOCKED_HEAD = """
SELECT head.notification_id, head.recorded_at, head.chain,
       CASE clock.mode WHEN 'server' THEN clock_timestamp() END
FROM log.clock AS clock LEFT JOIN LATERAL (
    SELECT notification_id, recorded_at, chain FROM log.events
    ORDER BY notification_id DESC LIMIT 1
) AS head ON true
"""
_VERSIONS = """
SELECT s.name, (SELECT max(originator_version) FROM log.events e
                WHERE e.originator_id = s.name)
FROM unnest(%b::text[]) AS s(name)
"""
_TIPS = """
SELECT s.name, tip.originator_version, tip.chain
FROM unnest(%b::text[]) AS s(name)
LEFT JOIN LATERAL (SELECT originator_version, chain FROM log.events e
                   WHERE e.originator_id = s.name
                   ORDER BY originator_version DESC LIMIT 1) AS tip ON true
"""
_INSERT = """
INSERT INTO log.events (notification_id, originator_id, originator_version, topic,
                        state, recorded_at, command_id, chain)
SELECT position, stream, version, type, state, %s::timestamptz, command_id, chain
FROM unnest(%b::bigint[], %b::text[], %b::bigint[], %b::text[], %b::bytea[],
            %b::uuid[], %b::bytea[])
     AS fresh (position, stream, version, type, state, command_id, chain)
"""


class Head(NamedTuple):
    """The end of the log; position 0 and the Unix epoch if it is empty.

    `server_now` is PostgreSQL's instant, read under the append lock. None if the log
    uses a lever, or if the lock is not held.
    """

    position: int
    recorded_at: datetime
    chain: bytes
    server_now: datetime | None = None

    def instant(self, claimed: datetime) -> datetime:
        """Return the current instant: PostgreSQL's, or with a lever the caller's."""
        return self.server_now or claimed


class StreamTip(NamedTuple):
    """The tip of a stream: its version, and the chain hash of its last event."""

    version: int
    chain: bytes


NO_TIP = StreamTip(0, GENESIS)
EMPTY = Head(0, datetime(1970, 1, 1, tzinfo=UTC), GENESIS)


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event about to be recorded, in stored form."""

    stream: str
    version: int
    type: str
    state: bytes
    command_id: UUID | None = None


class DeskRecorder(PostgresApplicationRecorder):
    """The library's recorder on `log.events`; it appends under one lock."""

    def __init__(self, datastore: PostgresDatastore, clock: Clock = real_clock) -> None:
        super().__init__(datastore, events_table_name="events")
        self._clock = clock

    def create_table(self) -> None:
        """Do nothing: `permanence migrate` creates the tables."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **_: object
    ) -> Sequence[int] | None:
        """Append in one transaction without a retry; the library's entry point."""
        if not stored_events:
            return None
        with self.datastore.transaction(commit=True) as dict_cursor:
            cursor = dict_cursor.connection.cursor(row_factory=tuple_row)
            head = lock_head(cursor)
            fresh = [
                PendingEvent(
                    str(e.originator_id), e.originator_version, e.topic, e.state
                )
                for e in stored_events
            ]
            insert(cursor, head, self._clock(), fresh)
        return list(range(head.position + 1, head.position + len(fresh) + 1))


class LogSighting(Protocol):
    """The result of one read of the log."""

    @property
    def head(self) -> Head:
        """The end of the log."""


class Watched(Protocol):
    """Reads the head and checks that the log continues what was seen before."""

    def look(self, cursor: Cursors) -> LogSighting:
        """Return a snapshot of the log; raises if it is not the one seen before."""


def lock_head(cursor: Cursors, continuity: Watched | None = None) -> Head:
    """Take the append lock until the transaction ends, then read the head.

    Two statements on purpose: a single one would read the head as it was before the
    lock was granted, and reuse the positions of another writer. A client that does not
    commit within `HOLD_SECONDS` is disconnected (PostgreSQL 17 and later). With
    `continuity` the same query checks that the log continues what was seen before.
    """
    lock = APPEND_LOCK
    if cursor.connection.info.server_version >= _TRANSACTION_TIMEOUT_SINCE:
        # A client frozen in the middle of a statement is not idle: only this ends it.
        lock += f"; SET LOCAL transaction_timeout = '{HOLD_SECONDS}s'"
    cursor.execute(lock, prepare=False)  # two statements cannot be prepared as one
    if continuity is not None:
        return continuity.look(cursor).head
    row = cursor.execute(_LOCKED_HEAD, binary=True).fetchone()
    if row is None:
        raise LookupError("log.clock is empty: this database was not migrated by us")
    if row[0] is None:
        return EMPTY._replace(server_now=row[3])
    return Head(row[0], row[1], bytes(row[2]), row[3])


def read_head(cursor: Cursors) -> Head:
    """Return the head."""
    row = cursor.execute(_HEAD, binary=True).fetchone()
    return Head(row[0], row[1], bytes(row[2])) if row else EMPTY


def versions(cursor: Cursors, streams: Sequence[str]) -> Mapping[str, int]:
    """Return the current version of each stream, 0 for one that does not exist."""
    rows = cursor.execute(_VERSIONS, (list(streams),)).fetchall()
    return {name: version or 0 for name, version in rows}


def tips_of(cursor: Cursors, streams: Sequence[str]) -> Mapping[str, StreamTip]:
    """Return the tip of each stream, `NO_TIP` for one that does not exist.

    The hash distinguishes histories in which the stream has the same version.
    """
    rows = cursor.execute(_TIPS, (list(streams),), binary=True).fetchall()
    return {
        name: NO_TIP if version is None else StreamTip(version, bytes(chain))
        for name, version, chain in rows
    }


def insert(
    cursor: Cursors,
    head: Head,
    now: datetime,
    fresh: Sequence[PendingEvent],
    tips: dict[str, StreamTip] | None = None,
) -> Head:
    """Number, timestamp, chain and insert `fresh` after `head`; return the new head.

    The caller holds the append lock and commits at once. `now` is used only in a log
    with a lever. `tips` receives the new tip of each stream.
    """
    recorded_at = max(head.instant(now), head.recorded_at)
    position, chain = head.position, head.chain
    positions: list[int] = []
    chains: list[bytes] = []
    for e in fresh:
        position += 1
        link = Link(
            position, e.stream, e.version, e.type, recorded_at, e.command_id, e.state
        )
        chain = chained(chain, link)
        positions.append(position)
        chains.append(chain)
        if tips is not None:
            tips[e.stream] = StreamTip(e.version, chain)
    cursor.execute(
        _INSERT,
        (
            recorded_at,
            positions,
            [e.stream for e in fresh],
            [e.version for e in fresh],
            [e.type for e in fresh],
            [e.state for e in fresh],
            [e.command_id for e in fresh],
            chains,
        ),
    )
    return Head(position, recorded_at, chain, head.server_now)
