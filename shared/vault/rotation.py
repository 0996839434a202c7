"""Wraps the vault's keys with another master key, while services run.

The text remains encrypted with the same keys; only these are wrapped again. A killed
rotation can be started again, and continues with the remaining keys.

`erase` rewrites tables, so that former rows are no longer in their files: PostgreSQL
keeps the old row of an UPDATE until the space is needed.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap
from psycopg import Connection
from psycopg.errors import LockNotAvailable

from shared.vault.master_keys import MasterKeys
from shared.vault.vault import Transaction, VaultError

BATCH = 500
"""The number of keys in one transaction."""

_PAGE = """
SELECT key_id, owner, wrapped FROM vault.keys
WHERE wrapped IS NOT NULL AND key_id > %s ORDER BY key_id LIMIT %s
"""
# A key that was destroyed or wrapped again since it was read is not changed.
_REWRAP = """
UPDATE vault.keys AS held SET wrapped = fresh.wrapped
FROM unnest(%s::text[], %s::bytea[], %s::bytea[]) AS fresh (key_id, former, wrapped)
WHERE held.key_id = fresh.key_id AND held.wrapped = fresh.former
"""


class _Rewrapped(NamedTuple):
    key_id: str
    former: bytes
    wrapped: bytes


def rewrap(transaction: Transaction, master: MasterKeys) -> int:
    """Wrap every key with the current master key; return how many were changed.

    Repeats until all are done: a service may still wrap a new one with the former
    master key. Raises `VaultError` for a key that none of the master keys unwraps.
    """
    total = 0
    while done := _pass(transaction, master):
        total += done
    return total


def _pass(transaction: Transaction, master: MasterKeys) -> int:
    done, after = 0, ""
    while True:
        with transaction() as cursor:
            rows = cursor.execute(_PAGE, (after, BATCH)).fetchall()
            if not rows:
                return done
            fresh = [
                _Rewrapped(key_id, wrapped, _again(master, owner, wrapped))
                for key_id, owner, wrapped in rows
                if not master.is_current(wrapped)
            ]
            if fresh:
                cursor.execute(_REWRAP, _columns(fresh))
                done += cursor.rowcount
        after = rows[-1][0]


def _again(master: MasterKeys, owner: str, wrapped: bytes) -> bytes:
    try:
        return master.wrap(master.unwrap(wrapped))
    except InvalidUnwrap as error:
        raise VaultError(
            f"no master key in the file opens the key of {owner}: put the one it was "
            "wrapped under behind the others, and run this command again"
        ) from error


def _columns(fresh: Sequence[_Rewrapped]) -> Sequence[Sequence[object]]:
    return [list(column) for column in zip(*fresh, strict=True)]


OTHERS_SECONDS_MAX = 10.0
"""How long to wait for sessions that use a table, or still see its former rows."""
LOCK_SECONDS = 2
"""How long one attempt waits: those who read the table meanwhile wait behind it."""
_STEP_SECONDS = 1.0

KEYS = ("vault.keys",)
FORGETTABLE = (*KEYS, "directory.people", "directory.contact_methods")
"""The tables of what may be forgotten: keys, and what the directory has of people."""

_DEAD = "SELECT n_dead_tup FROM pg_stat_all_tables WHERE relid = %s::text::regclass"
_FILE = "SELECT pg_relation_filenode(%s::text::regclass)"

NOT_ALLOWED = (
    "this role may not rewrite {table}, so former rows are still in its file: run "
    "VACUUM FULL {table} as the owner of the database"
)
IN_USE = (
    "sessions use {table} all the time, a backup perhaps, so former rows are still in "
    "its file: run this command again when they have ended"
)
STILL_SEEN = (
    "a session that began before still sees former rows of {table}, so their bytes are "
    "still in its file: end what pg_stat_activity shows as oldest, and run this "
    "command again"
)


def erase(
    connection: Connection[Any],
    tables: Sequence[str],
    pause: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Rewrite tables; return a sentence for each in whose file former rows may remain.

    `connection` is in autocommit mode. Former rows are copied while a transaction sees
    them, which a plain VACUUM reports: then the table is rewritten again. Each table is
    locked briefly, and nobody waits for more than `LOCK_SECONDS` because of it.
    """
    connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'".encode())
    problems = (_erase(connection, table, pause) for table in tables)
    return [problem for problem in problems if problem]


def _erase(
    connection: Connection[Any], table: str, pause: Callable[[float], None]
) -> str | None:
    waited = 0.0
    while problem := _problem(connection, table):
        if problem == NOT_ALLOWED or waited >= OTHERS_SECONDS_MAX:
            return problem.format(table=table)
        pause(_STEP_SECONDS)
        waited += _STEP_SECONDS
    return None


def _problem(connection: Connection[Any], table: str) -> str | None:
    """Rewrite a table once; return what keeps former rows in its file."""
    before = _value(connection, _FILE, table)
    try:
        connection.execute(f"VACUUM (FULL) {table}")
        if _value(connection, _FILE, table) == before:  # PostgreSQL only warns
            return NOT_ALLOWED
        connection.execute(f"VACUUM {table}")
    except LockNotAvailable:
        return IN_USE
    return STILL_SEEN if _value(connection, _DEAD, table) else None


def _value(connection: Connection[Any], query: str, table: str) -> int:
    row = connection.execute(query.encode(), (table,)).fetchone()
    return 0 if row is None else int(row[0])
