"""Short looks at the read models and the log: one state of all tables, read only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Cursor

from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog

READ_SECONDS_MAX = 2
"""A read that takes longer is given up: it would hold others back."""

_BEGIN = f"""
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL statement_timeout = '{READ_SECONDS_MAX}s';
SET LOCAL plan_cache_mode = force_custom_plan
"""
# The last: which index is best depends on the values asked for.


class TooSlow(Exception):
    """The read would take longer than `READ_SECONDS_MAX`: ask for less."""


@contextmanager
def snapshot(log: EventLog) -> Iterator[Cursor[tuple[Any, ...]]]:
    """Open a snapshot on a connection of `log`. Raises `Unavailable` or `TooSlow`."""
    with log.transaction() as cursor:
        cursor.execute(_BEGIN)
        try:
            yield cursor
        except psycopg.errors.QueryCanceled as error:
            raise TooSlow(f"given up after {READ_SECONDS_MAX} s") from error


@contextmanager
def brief_snapshot(log: EventLog) -> Iterator[Cursor[tuple[Any, ...]]]:
    """Open a snapshot for a read that is never long. Raises `Unavailable`."""
    try:
        with snapshot(log) as cursor:
            yield cursor
    except TooSlow as error:
        raise Unavailable(str(error)) from error
