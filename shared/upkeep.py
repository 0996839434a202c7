"""Turns the daily partitions of what is not kept for ever: some made, old ones dropped.

Call it at the start and every hour: it does nothing when all is as it should be.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

from psycopg import Cursor

Transaction = Callable[[], AbstractContextManager[Cursor[tuple[Any, ...]]]]

_TABLES = "SELECT table_name FROM upkeep.retention ORDER BY table_name"
_TURN = "SELECT * FROM upkeep.turn_partitions(%s, %s)"


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
