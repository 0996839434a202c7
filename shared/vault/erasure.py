"""Rewrites the table of keys, so that what was in it is in none of its files any more.

PostgreSQL leaves the row before an UPDATE behind until somebody needs the room.
"""

import time
from collections.abc import Callable
from typing import Any

from psycopg import Connection

OTHERS_SECONDS_MAX = 10.0
"""How long to wait for sessions that still see the rows before."""
_STEP_SECONDS = 1.0

_DEAD = "SELECT n_dead_tup FROM pg_stat_all_tables WHERE relid = 'vault.keys'::regclass"
_FILE = "SELECT pg_relation_filenode('vault.keys'::regclass)"

NOT_ALLOWED = (
    "this role may not rewrite the table of keys, so the bytes of the key are still in "
    "its file: run VACUUM FULL vault.keys as the owner of the database"
)
STILL_SEEN = (
    "a session that began before still sees the former rows, so the bytes of the key "
    "are still in the table's file: end what pg_stat_activity shows as oldest, and run "
    "this command again"
)


def erase(
    connection: Connection[Any], pause: Callable[[float], None] = time.sleep
) -> str | None:
    """Rewrite the table of keys; return a sentence if former rows may be left in it.

    `connection` is in autocommit mode. Former rows are copied while some transaction
    sees them, which a plain VACUUM counts: then it is rewritten again. Locks the table
    for the moment that takes.
    """
    waited = 0.0
    while True:
        before = _value(connection, _FILE)
        connection.execute("VACUUM (FULL) vault.keys")
        if _value(connection, _FILE) == before:  # PostgreSQL only warns
            return NOT_ALLOWED
        connection.execute("VACUUM vault.keys")
        if not _value(connection, _DEAD):
            return None
        if waited >= OTHERS_SECONDS_MAX:
            return STILL_SEEN
        pause(_STEP_SECONDS)
        waited += _STEP_SECONDS


def _value(connection: Connection[Any], query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return 0 if row is None else int(row[0])
