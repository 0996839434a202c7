"""Removes what is not kept for ever: daily partitions are turned, old bodies deleted.

Call it at the start and every hour: it does nothing when all is as it should be.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

from psycopg import Cursor

Transaction = Callable[[], AbstractContextManager[Cursor[tuple[Any, ...]]]]

_TABLES = """
SELECT table_name FROM upkeep.retention WHERE partitioned ORDER BY table_name
"""
_TURN = "SELECT * FROM upkeep.turn_partitions(%s, %s)"
_EXPIRE = "SELECT upkeep.expire_quarantine(%s)"


def turn_partitions(transaction: Transaction, today: date) -> list[str]:
    """Have partitions for `today` and the day after; return what was made and dropped.

    Each table in a transaction of its own. Raises `Unavailable` where one is too busy
    to be locked for a moment: try again later.
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

    That something was set aside stays. Raises `Unavailable` where bodies are just being
    kept: try again later.
    """
    expired = 0
    while True:
        with transaction() as cursor:
            row = cursor.execute(_EXPIRE, (today,)).fetchone()
        if row is None or not row[0]:
            return expired
        expired += row[0]
