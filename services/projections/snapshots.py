"""Short looks at the read models: read-only snapshots from a bounded pool."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Cursor
from psycopg_pool import ConnectionPool, PoolTimeout

from shared.event_log import Unavailable

READ_SECONDS_MAX = 2
"""A read that takes longer is given up: it would hold others back."""
_CONNECT_SECONDS = 2
_OPTIONS = (
    "-c default_transaction_read_only=on"
    r" -c default_transaction_isolation=repeatable\ read"
    f" -c statement_timeout={READ_SECONDS_MAX}s"
    # Which index is best depends on the values: a plan for all values is a bad one.
    " -c plan_cache_mode=force_custom_plan"
    " -c timezone=UTC"
)


class TooSlow(Exception):
    """The read would take longer than `READ_SECONDS_MAX`: ask for less."""


class Snapshots:
    """Gives read-only transactions that see one state of all tables; calls block."""

    def __init__(self, dsn: str, pool_size: int) -> None:
        self._pool = ConnectionPool(
            dsn,
            min_size=1,
            max_size=pool_size,
            kwargs={"options": _OPTIONS, "connect_timeout": _CONNECT_SECONDS},
            timeout=_CONNECT_SECONDS,
            open=False,
        )

    def open(self) -> None:
        """Start connecting, in the background."""
        self._pool.open()

    def close(self) -> None:
        """Give the connections back."""
        self._pool.close()

    @contextmanager
    def take(self) -> Iterator[Cursor[tuple[Any, ...]]]:
        """Open a snapshot. Raises `Unavailable` or `TooSlow`."""
        try:
            with self._pool.connection() as connection, connection.cursor() as cursor:
                yield cursor
        except psycopg.errors.QueryCanceled as error:
            raise TooSlow(f"given up after {READ_SECONDS_MAX} s") from error
        except (
            PoolTimeout,
            psycopg.OperationalError,
            psycopg.InterfaceError,
        ) as error:
            raise Unavailable(str(error).strip()) from error
