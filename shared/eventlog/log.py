"""The event log: append, read, and the transactions for both.

Only this module and `recorder` use the `eventsourcing` library.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

import psycopg
from eventsourcing.persistence import InterfaceError, OperationalError
from eventsourcing.postgres import PostgresDatastore
from psycopg import sql
from psycopg_pool import PoolTimeout

from shared.clock import Clock, real_clock
from shared.database import connections
from shared.database.clock_mode import ClockMode, clock_mode
from shared.database.connections import Found, Pool
from shared.database.cursors import Cursors
from shared.domain.events import AnyEvent
from shared.domain.events.event import Event
from shared.eventlog.append import AppendUnit, CommandIdReused, Outcome, Stale, append
from shared.eventlog.codec import decode, encode
from shared.eventlog.continuity.check import Continuity, Discontinued, LogSnapshot
from shared.eventlog.continuity.evidence import Mark
from shared.eventlog.entry import Entry, Link, chained
from shared.eventlog.epochs import Epochs, read_epochs
from shared.eventlog.errors import (
    NotContinued,
    StaleVersion,
    Unavailable,
    away,
    is_full,
    is_unavailable,
)
from shared.eventlog.recorder import (
    DeskRecorder,
    Head,
    PendingEvent,
    read_head,
    versions,
)
from shared.eventlog.unreadable import UnreadableEvents
from shared.vault.master_keys import MasterKeys
from shared.vault.vault import StoredKeys, Vault, key_ids

PAGE_MAX = 5_000

SELECT_ROWS = (
    "SELECT notification_id, originator_id, originator_version, topic, state, "
    "recorded_at, command_id, chain FROM log.events "
)
"""The start of a query whose rows become `Row`."""
_SINCE = SELECT_ROWS + "WHERE notification_id > %s ORDER BY notification_id LIMIT %s"
_HISTORIES = (
    SELECT_ROWS + "WHERE originator_id = ANY(%s) AND notification_id <= %s "
    "ORDER BY originator_id, originator_version"
)
NEWEST = 2**63 - 1
"""A position after all others."""


Guard = Callable[[], None]
"""Called before every transaction; raises `Unavailable` if this host may not write."""


class Row(NamedTuple):
    """An event as stored, with the data that its hash covers."""

    position: int
    stream: str
    version: int
    type: str
    state: bytes
    recorded_at: datetime
    command_id: UUID | None
    chain: bytes


class WithoutWords(NamedTuple):
    """Entries without personal words, and the events that cannot be read."""

    entries: list[Entry]
    unreadable: list[Row]


def follows(chain: bytes, row: Row) -> bool:
    """Return whether `row` follows the event with the hash `chain`."""
    link = Link(
        row.position,
        row.stream,
        row.version,
        row.type,
        row.recorded_at,
        row.command_id,
        row.state,
    )
    return chained(chain, link) == row.chain


class EventLog:
    """The log, with a bounded pool of connections; calls block, use an executor."""

    def __init__(
        self,
        pool: Pool,
        keys: Pool,
        master: MasterKeys | None,
        clock: Clock,
        guard: Guard,
    ) -> None:
        self.may_write: Callable[[], bool] = lambda: True
        """Returns at once whether this host may write, as far as known.

        A host that may not write must not hold resources such as a lease.
        """
        self.keep_seen: Callable[[], object] = lambda: None
        """Called after a commit with new events, before its caller goes on."""
        self.full = False
        """Whether PostgreSQL lacked room on its disk, and has not proved otherwise."""
        self._pool = pool
        self.guard = guard
        """Raises `Unavailable` if this host may not write, as before a transaction."""
        self._keys = keys
        self._clock = clock
        self.recorder = DeskRecorder(_datastore(pool), clock)
        self.vault = Vault(StoredKeys(self._key_transaction, clock), master)
        self.unreadable = UnreadableEvents()
        self.continuity = Continuity()
        self.continuity.drop_with(self.vault.drop)

    @classmethod
    def open(
        cls,
        dsn: str,
        *,
        master: MasterKeys | None = None,
        clock: Clock = real_clock,
        pool_size: int = 4,
        guard: Guard = lambda: None,
    ) -> Self:
        """Open the log at `dsn` with at most `pool_size` connections, and one for keys.

        `clock` is used only in a log with a lever; in others PostgreSQL sets the
        instants.

        Raises `Unavailable` with the server's own words if it rejects the connection,
        and `psycopg.ProgrammingError` if `dsn` is not an address.
        """
        pool = connections.pool_of(dsn, pool_size)
        keys = connections.pool_of(dsn, 1)
        with _translated():
            connections.try_to_connect(dsn)
            try:
                pool.open()
                if master is not None:
                    keys.open()  # later there might be no connection left for it
                return cls(pool, keys, master, clock, guard)
            except BaseException:
                pool.close()
                keys.close()
                raise

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()
        self._keys.close()

    @contextmanager
    def transaction(self) -> Iterator[Cursors]:
        """Open a transaction that commits at the end; raises `Unavailable` on failure.

        Raises its subclass `WrongClock` if this host may not write.

        After `Unavailable` the events may have been recorded: the answer to a commit
        can be lost. Try again with the same command id.
        """
        self.guard()
        cursor: Cursors | None = None
        try:
            with _transaction(self._pool) as cursor:
                yield cursor
        except BaseException as error:  # also from the commit
            if cursor is not None:
                self.continuity.undone(cursor)
            self.full |= is_full(error)
            raise
        if self.continuity.committed(cursor):
            self.keep_seen()

    def read(self, query: Callable[[Cursors], Found]) -> Found:
        """Return what one statement finds, also on a host with a wrong clock.

        It takes a third of the round trips of a transaction. Raises `Unavailable`.
        """
        with _translated():
            return connections.read(self._pool, query)

    @contextmanager
    def savepoint(self, cursor: Cursors, name: str) -> Iterator[None]:
        """Open a savepoint: an error rolls back only its appends and locks.

        The commit releases it, as nothing else may follow an append. If a name is used
        again in the same transaction, it means the later savepoint.
        """
        named = sql.Identifier(name)
        cursor.execute(sql.SQL("SAVEPOINT {}").format(named))
        try:
            yield
        except BaseException:
            self.continuity.undone(cursor)
            if not cursor.connection.broken:
                cursor.execute(sql.SQL("ROLLBACK TO SAVEPOINT {}").format(named))
            raise

    def require_continued(self) -> None:
        """Raise `NotContinued` while the log is known to be discontinued."""
        if (why := self.continuity.blocked) is not None:
            raise NotContinued(why)

    def look(self, cursor: Cursors) -> LogSnapshot:
        """Return a snapshot of the log; raise `NotContinued` if it is discontinued."""
        try:
            return self.continuity.look(cursor)
        except Discontinued as error:
            raise _unavailable(error) from error

    @contextmanager
    def _key_transaction(self) -> Iterator[Cursors]:
        """Open a transaction on the connection for keys.

        A key may be needed inside a transaction. With connections from the same pool,
        concurrent callers could each wait for one more: a deadlock.
        """
        self._keys.open()
        try:
            with _transaction(self._keys) as cursor:
                yield cursor
        except BaseException as error:
            self.full |= is_full(error)
            raise

    def stored(
        self, stream: str, version: int, event: Event, command_id: UUID | None = None
    ) -> PendingEvent:
        """Return the stored form of `event` at `version` of `stream`, encrypted."""
        state = encode(self.vault, stream, version, event)
        type_: str = event.type  # type: ignore[attr-defined] # every concrete event has one
        return PendingEvent(stream, version, type_, state, command_id)

    def append(self, cursor: Cursors, members: Sequence[AppendUnit]) -> list[Outcome]:
        """Append a group inside the caller's transaction, as its last statement.

        Raises `NotContinued` if the log is not the one this process has seen.
        """
        try:
            return append(cursor, self._clock, members, self.continuity)
        except Discontinued as error:
            self.vault.drop()  # a key may have been fetched just before the change
            raise _unavailable(error) from error

    def append_unchecked(
        self, cursor: Cursors, members: Sequence[AppendUnit]
    ) -> list[Outcome]:
        """Append to a discontinued log; only for the renewal of its epoch."""
        return append(cursor, self._clock, members)

    def record(
        self,
        stream: str,
        expected_version: int,
        events: Sequence[Event],
        command_id: UUID | None = None,
        digest: bytes = b"",
    ) -> list[Entry]:
        """Append to one stream in a separate transaction; return the entries.

        Raises `StaleVersion` if the stream is not at `expected_version`. For a command
        id recorded before it returns the entries recorded then.
        """
        fresh = tuple(
            self.stored(stream, version, event, command_id)
            for version, event in enumerate(events, start=expected_version + 1)
        )
        with self.transaction() as cursor:
            (outcome,) = self.append(cursor, [AppendUnit(fresh, command_id, digest)])
        match outcome:
            case Stale():
                raise StaleVersion(f"{stream} is no longer at {expected_version}")
            case CommandIdReused():
                raise ValueError(f"command {command_id} was used for another body")
            case _:
                return self.since(outcome.first - 1, outcome.last - outcome.first + 1)

    def epochs(self) -> Epochs:
        """Return the epochs of the log, in order."""
        return self.read(read_epochs)

    def head(self) -> Head:
        """Return the end of the log."""
        return self.read(read_head)

    def clock_mode(self) -> ClockMode:
        """Return the clock mode of the log."""
        return self.read(clock_mode)

    def head_version(self, stream: str) -> int:
        """Return the current version of a stream, 0 if it has no events."""
        return self.read(lambda cursor: versions(cursor, [stream]))[stream]

    def history(self, stream: str) -> list[Entry]:
        """Return all entries of a stream, in order."""
        rows = self.read(lambda cursor: self.stored_histories(cursor, [stream]))
        return self.entries(rows)

    def pinned_history(self, stream: str, cache: str) -> list[Entry]:
        """Return a stream to fill `cache`; refuse appends once the log has lost it.

        For data that is used later without reading the log: see `Continuity.pin`.
        """
        rows = self.read(lambda cursor: self.stored_histories(cursor, [stream]))
        if rows:
            self.continuity.pin(cache, Mark(rows[-1].position, rows[-1].chain))
        return self.entries(rows)

    def histories(
        self,
        cursor: Cursors,
        streams: Sequence[str],
        upto: int = NEWEST,
    ) -> list[Entry]:
        """Return the entries of several streams up to a position, stream by stream.

        Events after `upto` are not decoded: they may be unreadable.
        """
        return self.entries(self.stored_histories(cursor, streams, upto))

    def stored_histories(
        self,
        cursor: Cursors,
        streams: Sequence[str],
        upto: int = NEWEST,
    ) -> list[Row]:
        """Return the same as stored rows, for callers that decode each stream alone."""
        wanted = (list(streams), upto)
        rows = cursor.execute(_HISTORIES, wanted, binary=True).fetchall()
        return [Row(*row) for row in rows]

    def rows_since(self, position: int, limit: int) -> list[Row]:
        """Return up to `limit` events after `position`, as stored."""
        page = (position, min(limit, PAGE_MAX))
        found = self.read(lambda c: c.execute(_SINCE, page, binary=True).fetchall())
        return [Row(*row) for row in found]

    def since(self, position: int, limit: int) -> list[Entry]:
        """Return up to `limit` entries after `position`, of all streams, in order."""
        return self.entries(self.rows_since(position, limit))

    def entries(self, rows: Sequence[Row]) -> list[Entry]:
        """Return stored rows as entries; their keys are fetched together."""
        self.learn(rows)
        return [self.entry(row) for row in rows]

    def without_words(self, rows: Sequence[Row]) -> WithoutWords:
        """Return stored rows as entries without personal words; no key is needed.

        Events that cannot be read all the same are listed: those of a later version,
        and damaged ones. For readers who must not stop at one stream of many.
        """
        read: list[Entry] = []
        unreadable: list[Row] = []
        for row in rows:
            try:
                event = decode(None, row.stream, row.version, row.type, row.state)
            except Exception:  # noqa: BLE001 # whatever is wrong, it is listed
                unreadable.append(row)
            else:
                read.append(_entry(row, event))
        return WithoutWords(read, unreadable)

    def learn(self, rows: Sequence[Row]) -> None:
        """Fetch the keys that stored rows need, together."""
        self.vault.learn(key_ids(row.state for row in rows))

    def entry(self, row: Row) -> Entry:
        """Return a stored row as an entry, decrypted and in the current shape."""
        event = decode(self.vault, row.stream, row.version, row.type, row.state)
        return _entry(row, event)


def _entry(row: Row, event: AnyEvent) -> Entry:
    return Entry(
        row.position,
        row.stream,
        row.version,
        row.type,
        row.recorded_at,
        row.command_id,
        event,
    )


def _unavailable(error: Discontinued) -> Unavailable:
    """Return the error for the sender: retry, or the log is discontinued."""
    kind = NotContinued if error.blocked else Unavailable
    return kind(str(error))


class _Datastore(PostgresDatastore):
    """The library's datastore, without the composite types of its own insert."""

    def register_type_adapters(self) -> None:
        """Do nothing: our tables have no such types, and each log would look for them.

        It would wait for the pool and read the catalog of PostgreSQL, in vain.
        """


def _datastore(pool: Pool) -> PostgresDatastore:
    """Return the library's datastore on this pool; its own reconnects too slowly."""
    datastore = _Datastore("", "", "", "", "", schema="log", originator_id_type="text")
    datastore.pool = pool  # type: ignore[assignment] # its class adds a password callback
    return datastore


@contextmanager
def _transaction(pool: Pool) -> Iterator[Cursors]:
    with _translated(), connections.transaction(pool) as cursor:
        yield cursor


@contextmanager
def _translated() -> Iterator[None]:
    """Translate errors of an absent database to `Unavailable`."""
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable(
            f"PostgreSQL gave no connection within {connections.CONNECT_SECONDS} s"
        ) from error
    except (psycopg.Error, OperationalError, InterfaceError) as error:
        if is_unavailable(error):
            raise away(error) from error
        raise
