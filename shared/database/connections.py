"""A bounded pool of PostgreSQL connections that fails fast if the server is away.

Every connection has timeouts: the server ends a session that waits for a lock too long,
or holds one while idle, so that a stuck process never blocks the others.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from psycopg import Connection, OperationalError
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row, tuple_row
from psycopg_pool import ConnectionPool

from shared.database.cursors import Cursors

LOCK_TIMEOUT_SECONDS = 5
IDLE_IN_TRANSACTION_SECONDS = 2
CONNECT_SECONDS = 2
"""How long a caller waits for a connection, and a connection for its server."""

_GIVE_UP_SECONDS = 1
"""The pool gives up reconnecting after this time: the next caller tries again."""

# Keep-alives detect a server that disappeared without closing the connection.
_KEEPALIVE = {
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}

Pool = ConnectionPool[Connection[DictRow]]
Found = TypeVar("Found")


def pool_of(dsn: str, size: int) -> Pool:
    """Return a closed pool of at most `size` connections to `dsn`; `open()` it.

    Raises `psycopg.ProgrammingError` if `dsn` is not an address.
    """
    pool: Pool = ConnectionPool(
        connection_class=Connection[DictRow],
        kwargs=_parameters(dsn),
        min_size=size,
        max_size=size,
        open=False,
        timeout=CONNECT_SECONDS,
        reconnect_timeout=_GIVE_UP_SECONDS,
        configure=_make_durable,
    )
    return pool


@contextmanager
def transaction(pool: Pool) -> Iterator[Cursors]:
    """Open a transaction on a connection of `pool`, which commits at the end.

    Its first statement shows whether the connection still is one: to ask beforehand
    would be a round trip more for each transaction.
    """

    def begin(stack: ExitStack, connection: Connection[DictRow]) -> Connection[DictRow]:
        stack.enter_context(connection.transaction())
        return connection

    with ExitStack() as stack:
        connection = _first_used(pool, stack, begin)
        yield connection.cursor(row_factory=tuple_row)


def read(pool: Pool, query: Callable[[Cursors], Found]) -> Found:
    """Return what one statement finds, which is a transaction of its own.

    It is repeated once if the connection turns out to be broken.
    """

    def ask(_: ExitStack, connection: Connection[DictRow]) -> Found:
        return query(connection.cursor(row_factory=tuple_row))

    with ExitStack() as stack:
        return _first_used(pool, stack, ask)


def _first_used(
    pool: Pool,
    stack: ExitStack,
    use: Callable[[ExitStack, Connection[DictRow]], Found],
) -> Found:
    """Use a connection, until the end of `stack`; another one if it is broken."""
    connection = stack.enter_context(pool.connection())
    try:
        return use(stack, connection)
    except OperationalError:
        if not connection.broken:
            raise
    stack.close()
    pool.drain()  # if the server has restarted, all idle ones are broken, too
    return use(stack, stack.enter_context(pool.connection()))


def _make_durable(connection: Connection[DictRow]) -> None:
    """Let a commit be answered once it is on the disk, whatever the server's default.

    What a server demands of its standbys stays as it is.
    """
    connection.execute(
        "SELECT set_config('synchronous_commit', 'local', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    )


def try_to_connect(dsn: str) -> None:
    """Connect once, to get the server's own error message: a pool only times out."""
    Connection.connect(**_parameters(dsn)).close()


def connect(dsn: str) -> Connection[DictRow]:
    """Return a connection with the timeouts, outside any pool; the caller closes it."""
    return Connection.connect(**_parameters(dsn))


def _parameters(dsn: str) -> dict[str, Any]:
    given = conninfo_to_dict(dsn)
    settings = " ".join(f"-c {name}={value}" for name, value in _settings().items())
    return {
        **_KEEPALIVE,
        **given,
        "connect_timeout": CONNECT_SECONDS,
        "options": f"{given.get('options') or ''} {settings}".strip(),
        "autocommit": True,
        "row_factory": dict_row,
    }


def _settings() -> Mapping[str, str]:
    return {
        "lock_timeout": f"{LOCK_TIMEOUT_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS}s",
        # The head of the log is read after the append lock is granted, by a statement
        # that must see what was committed in the meantime.
        "default_transaction_isolation": r"read\ committed",
        "TimeZone": "UTC",
    }
