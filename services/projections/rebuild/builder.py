"""The lock and connection of a build: one process at a time builds a read model."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import psycopg
from psycopg import Connection

from services.projections.generations import ReadModel
from services.projections.rebuild.fold import CHUNK_EVENTS
from shared.database import connections
from shared.database.cursors import Cursors
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.vault.master_keys import MasterKeys

ROLE = "desk_projections"
SILENT_SECONDS_MAX = 60.0
"""How long a builder may be idle before PostgreSQL ends its session and its lock."""
ALIVE_SECONDS = 5.0
"""The interval of its keep-alive queries."""
_LOCK = "SELECT {}(hashtextextended('rm.' || %s, 0))"


class Busy(Exception):
    """Another process is building a generation of this read model."""


class WrongLogin(Exception):
    """The address logs in as another role than the one that owns the read models."""


@dataclass(frozen=True)
class Source:
    """The log that a rebuild reads: its address and an open connection."""

    dsn: str
    master: MasterKeys | None
    log: EventLog
    chunk_events: int = CHUNK_EVENTS


@dataclass(frozen=True)
class Builder:
    """The resources of a build; its connection holds the lock."""

    model: ReadModel[Any]
    source: Source
    connection: Connection[tuple[Any, ...]]

    @property
    def cursor(self) -> Cursors:
        """Return a cursor outside any transaction: each statement commits."""
        return self.connection.cursor()


@contextmanager
def builder(
    dsn: str,
    master: MasterKeys | None,
    model: ReadModel[Any],
    *,
    wait: bool = False,
    chunk_events: int = CHUNK_EVENTS,
) -> Iterator[Builder]:
    """Yield the builder of `model`; raises `Busy` unless asked to wait for the other.

    Raises `WrongLogin` unless `dsn` logs in as the service. The lock belongs to the
    connection: a killed or frozen process does not keep it. At the end it is released,
    as PostgreSQL may notice a closed connection only later.
    """
    opens = master if model.opens_words else None
    with (
        logged_in(dsn) as connection,
        _kept_alive(connection),
        closing(EventLog.open(dsn, master=opens, pool_size=2)) as log,
    ):
        if wait:
            connection.execute(_LOCK.format("pg_advisory_lock"), (model.name,))
        else:
            _lock_now(connection, model.name)
        try:
            yield Builder(model, Source(dsn, opens, log, chunk_events), connection)
        finally:
            with suppress(psycopg.Error):  # without a connection there is no lock
                connection.execute("DISCARD ALL")


def connected(dsn: str) -> Connection[tuple[Any, ...]]:
    """Return a connection on which each statement commits; or `Unavailable`."""
    try:
        limit = connections.CONNECT_SECONDS
        return psycopg.connect(dsn, autocommit=True, connect_timeout=limit)
    except psycopg.OperationalError as error:
        raise Unavailable(str(error).strip().partition("\n")[0]) from error


@contextmanager
def logged_in(dsn: str) -> Iterator[Connection[tuple[Any, ...]]]:
    """Yield such a connection as the role of the service; or raise `WrongLogin`.

    This role owns the tables, so functions of a thief of its password may run when they
    are read or written. In a session that only acts as this role, RESET ROLE would give
    them the rights of the login.
    """
    with connected(dsn) as connection:
        row = connection.execute("SELECT session_user::text").fetchone()
        if row != (ROLE,):
            (who,) = row or ("nobody",)
            raise WrongLogin(
                f"this address logs in as {who}, "
                f"and read models are built as {ROLE} alone"
            )
        yield connection


@contextmanager
def _kept_alive(connection: Connection[tuple[Any, ...]]) -> Iterator[None]:
    """Send keep-alive queries; PostgreSQL ends the session when they stop.

    A build does not use this connection for minutes; a frozen build never does.
    """
    limit = f"{int(SILENT_SECONDS_MAX * 1_000)}ms"
    for timeout in ("idle_session_timeout", "idle_in_transaction_session_timeout"):
        connection.execute("SELECT set_config(%s, %s, false)", (timeout, limit))
    over = Event()

    def query() -> None:
        while not over.wait(ALIVE_SECONDS):
            with suppress(psycopg.Error):  # the build gets the error itself
                connection.execute("SELECT")

    thread = Thread(target=query, name="builder-alive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _lock_now(connection: Connection[tuple[Any, ...]], name: str) -> None:
    query = _LOCK.format("pg_try_advisory_lock")
    row = connection.execute(query, (name,)).fetchone()
    if row != (True,):
        raise Busy(f"another process rebuilds {name}: let it end, or stop it")
