"""Turns the daily partitions of intake's tables, and deletes what has expired.

Also the rows about who read what, which nobody who writes them may delete.

Both are idempotent, and done at the start and every hour.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import structlog

from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.serve import pause

UPKEEP_SECONDS = 3_600
UPKEEP_RETRY_SECONDS = 10

_log = structlog.get_logger(__name__)
Transaction = Callable[[], AbstractContextManager[Cursors]]

_TABLES = """
SELECT table_name FROM upkeep.retention WHERE partitioned ORDER BY table_name
"""
_TURN = "SELECT * FROM upkeep.turn_partitions(%s, %s)"
_EXPIRE = "SELECT upkeep.expire_quarantine(%s)"
_EXPIRE_READS = "SELECT upkeep.expire_reads(%s)"


async def keep_partitions(log: EventLog, clock: Clock, stop: asyncio.Event) -> None:
    """Turn partitions and expire bodies until `stop` is set."""
    while not stop.is_set():
        wait, today = UPKEEP_SECONDS, clock().date()
        try:
            turned = await asyncio.to_thread(turn_partitions, log.transaction, today)
            if turned:
                _log.info("partitions.turned", what=turned)
            bodies = await asyncio.to_thread(expire_quarantine, log.transaction, today)
            if bodies:
                _log.info("quarantine.expired", bodies=bodies)
            reads = await asyncio.to_thread(expire_reads, log.transaction, today)
            if reads:
                _log.info("reads.expired", rows=reads)
        except Unavailable:
            wait = UPKEEP_RETRY_SECONDS
        await pause(stop, wait)


def turn_partitions(transaction: Transaction, today: date) -> list[str]:
    """Create partitions for `today` and tomorrow; return what was created or dropped.

    Each table has its own transaction. Raises `Unavailable` if one is too busy to be
    locked: try again later.
    """
    with transaction() as cursor:
        tables = [name for (name,) in cursor.execute(_TABLES).fetchall()]
    turned: list[str] = []
    for table in tables:
        with transaction() as cursor:
            rows = cursor.execute(_TURN, (table, today)).fetchall()
        turned.extend(what for (what,) in rows)
    return turned


def expire_quarantine(transaction: Transaction, today: date) -> int:
    """Delete quarantined bodies past their retention; return how many.

    The quarantine rows stay. Raises `Unavailable` if bodies are being stored at the
    same time: try again later.
    """
    return _expired(transaction, _EXPIRE, today)


def expire_reads(transaction: Transaction, today: date) -> int:
    """Delete the rows about reads past their retention; return how many."""
    return _expired(transaction, _EXPIRE_READS, today)


def _expired(transaction: Transaction, statement: str, today: date) -> int:
    expired = 0
    while True:
        with transaction() as cursor:
            row = cursor.execute(statement, (today,)).fetchone()
        if row is None or not row[0]:
            return expired
        expired += row[0]
