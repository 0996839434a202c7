"""The one door to the event log: append, read, and the transactions around them.

With the recorder beside it, the only code that knows the eventsourcing library.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from eventsourcing.persistence import (
    InterfaceError,
    OperationalError,
    PersistenceError,
)
from eventsourcing.postgres import PostgresDatastore
from psycopg import Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row

from shared.append import Member, Misused, Outcome, Stale, append
from shared.clock import Clock, real_clock
from shared.codec import decode, encode
from shared.entry import Entry
from shared.events.event import Event
from shared.recorder import DeskRecorder, Head, Unrecorded, read_head, versions
from shared.vault import Vault
from shared.vault_keys import StoredKeys

LOCK_TIMEOUT_SECONDS = 5
IDLE_IN_TRANSACTION_SECONDS = 2
CONNECT_SECONDS = 2
PAGE_MAX = 5_000

_ROW = (
    "SELECT notification_id, originator_id, originator_version, topic, state, "
    "recorded_at, command_id, chain FROM log.events "
)
_SINCE = _ROW + "WHERE notification_id > %s ORDER BY notification_id LIMIT %s"
_HISTORIES = (
    _ROW + "WHERE originator_id = ANY(%s) ORDER BY originator_id, originator_version"
)


class Unavailable(Exception):
    """PostgreSQL is away, starting or too slow: nothing was promised, try again."""


class StaleVersion(Exception):
    """Another writer came between: the stream is not where it was read."""


class Row(NamedTuple):
    """An event as stored, with what the chain covers."""

    position: int
    stream: str
    version: int
    type: str
    state: bytes
    recorded_at: datetime
    command_id: UUID | None
    chain: bytes


class EventLog:
    """The log, with a bounded pool of connections; calls block, use an executor."""

    def __init__(
        self, datastore: PostgresDatastore, master: bytes | None, clock: Clock
    ) -> None:
        self._datastore = datastore
        self._clock = clock
        self.recorder = DeskRecorder(datastore, clock)
        self.vault = Vault(StoredKeys(self.transaction, clock), master)

    @classmethod
    def open(
        cls,
        dsn: str,
        *,
        master: bytes | None = None,
        clock: Clock = real_clock,
        pool_size: int = 4,
    ) -> Self:
        """Open the log at `dsn` with at most `pool_size` connections."""
        given = {k: str(v) for k, v in conninfo_to_dict(dsn).items() if v is not None}
        datastore = PostgresDatastore(
            dbname=given.pop("dbname", "permanence"),
            host=given.pop("host", "127.0.0.1"),
            port=given.pop("port", "5432"),
            user=given.pop("user", ""),
            password=given.pop("password", ""),
            connect_timeout=CONNECT_SECONDS,
            idle_in_transaction_session_timeout=IDLE_IN_TRANSACTION_SECONDS,
            pool_size=pool_size,
            pre_ping=True,
            schema="log",
            originator_id_type="text",
        )
        limits = f"-c lock_timeout={LOCK_TIMEOUT_SECONDS}s"
        datastore.pool.kwargs = {
            **(
                datastore.pool.kwargs if isinstance(datastore.pool.kwargs, dict) else {}
            ),
            "connect_timeout": CONNECT_SECONDS,
            "options": f"{given.pop('options', '')} {limits}".strip(),
            **given,
        }
        with _translated():
            return cls(datastore, master, clock)

    def close(self) -> None:
        """Give the connections back."""
        self._datastore.close()

    @contextmanager
    def transaction(self) -> Iterator[Cursor[tuple[Any, ...]]]:
        """Open a transaction; commits at the end. `Unavailable` when it cannot."""
        with _translated(), self._datastore.transaction(commit=True) as cursor:
            yield cursor.connection.cursor(row_factory=tuple_row)

    def stored(
        self, stream: str, version: int, event: Event, command_id: UUID | None = None
    ) -> Unrecorded:
        """Return `event` in stored form for `version` of `stream`: sealed, encoded."""
        state = encode(self.vault, stream, version, event)
        type_: str = event.type  # type: ignore[attr-defined] # every concrete event has one
        return Unrecorded(stream, version, type_, state, command_id)

    def append(
        self, cursor: Cursor[tuple[Any, ...]], members: Sequence[Member]
    ) -> list[Outcome]:
        """Append a group inside the caller's transaction, as its last act."""
        return append(cursor, self._clock, members)

    def record(
        self,
        stream: str,
        expected_version: int,
        events: Sequence[Event],
        command_id: UUID | None = None,
        digest: bytes = b"",
    ) -> list[Entry]:
        """Append to one stream in a transaction of its own; return the entries.

        Raises `StaleVersion` where the stream is not at `expected_version`. A command
        id recorded before returns the entries recorded then.
        """
        fresh = tuple(
            self.stored(stream, version, event, command_id)
            for version, event in enumerate(events, start=expected_version + 1)
        )
        with self.transaction() as cursor:
            (outcome,) = self.append(cursor, [Member(fresh, command_id, digest)])
        match outcome:
            case Stale():
                raise StaleVersion(f"{stream} is no longer at {expected_version}")
            case Misused():
                raise ValueError(f"command {command_id} was used for another body")
            case _:
                return self.since(outcome.first - 1, outcome.last - outcome.first + 1)

    def head(self) -> Head:
        """Return the end of the log."""
        with self.transaction() as cursor:
            return read_head(cursor)

    def head_version(self, stream: str) -> int:
        """Return the current version of a stream, 0 where there is none."""
        with self.transaction() as cursor:
            return versions(cursor, [stream])[stream]

    def history(self, stream: str) -> list[Entry]:
        """Return all entries of a stream, in order."""
        with self.transaction() as cursor:
            return self.histories(cursor, [stream])

    def histories(
        self, cursor: Cursor[tuple[Any, ...]], streams: Sequence[str]
    ) -> list[Entry]:
        """Return all entries of several streams, stream by stream."""
        rows = cursor.execute(_HISTORIES, (list(streams),)).fetchall()
        return [self.entry(Row(*row)) for row in rows]

    def rows_since(self, position: int, limit: int) -> list[Row]:
        """Return up to `limit` events after `position`, as stored."""
        with self.transaction() as cursor:
            rows = cursor.execute(_SINCE, (position, min(limit, PAGE_MAX))).fetchall()
        return [Row(*row) for row in rows]

    def since(self, position: int, limit: int) -> list[Entry]:
        """Return up to `limit` entries after `position`, of all streams, in order."""
        return [self.entry(row) for row in self.rows_since(position, limit)]

    def entry(self, row: Row) -> Entry:
        """Return a stored row as an entry, opened and in today's shape."""
        event = decode(self.vault, row.stream, row.version, row.type, row.state)
        return Entry(
            row.position,
            row.stream,
            row.version,
            row.type,
            row.recorded_at,
            row.command_id,
            event,
        )


@contextmanager
def _translated() -> Iterator[None]:
    """Let callers know one error for an absent database, not the library's five."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise Unavailable(str(error).strip()) from error


__all__ = ["EventLog", "PersistenceError", "Row", "StaleVersion", "Unavailable"]
