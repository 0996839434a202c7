"""Wraps the vault's keys with another master key, while services run.

The text remains encrypted with the same keys; only these are wrapped again. A killed
rotation can be started again, and continues with the remaining keys.

`erase` rewrites the table of keys, so that former rows are no longer in its files:
PostgreSQL keeps the old row of an UPDATE until the space is needed.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap
from psycopg import Connection

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
"""How long to wait for sessions that still see former rows."""
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
    """Rewrite the table of keys; return a sentence if former rows may remain in it.

    `connection` is in autocommit mode. Former rows are copied while a transaction sees
    them, which a plain VACUUM reports: then the table is rewritten again. The table is
    locked briefly.
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
