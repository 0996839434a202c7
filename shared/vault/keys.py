"""The vault's key table in PostgreSQL, each access in a transaction of its own.

Forgetting somebody is destroying their key: the log stays as it is, its words about
them cannot be read any more.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from psycopg import Cursor

from shared.clock import Clock
from shared.vault.vault import WITNESS, WrappedKey

Transaction = Callable[[], AbstractContextManager[Cursor[tuple[Any, ...]]]]

_LIVING = """
SELECT key_id, owner, wrapped FROM vault.keys
WHERE owner = %s AND destroyed_at IS NULL
"""
_BY_IDS = "SELECT key_id, owner, wrapped FROM vault.keys WHERE key_id = ANY(%s)"
_ADD = """
INSERT INTO vault.keys (key_id, owner, wrapped, created_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (owner) WHERE destroyed_at IS NULL DO NOTHING
"""
_FORGET = """
UPDATE vault.keys SET wrapped = NULL, destroyed_at = %s, destroyed_because = %s
WHERE owner = %s AND destroyed_at IS NULL
"""


_WAS_FORGOTTEN = "SELECT FROM vault.keys WHERE owner = %s AND destroyed_at IS NOT NULL"


class StoredKeys:
    """`KeyStore` on `vault.keys`."""

    def __init__(self, transaction: Transaction, clock: Clock) -> None:
        self._transaction = transaction
        self._clock = clock

    def living(self, owner: str) -> WrappedKey | None:
        """Return the owner's key that is in use."""
        return next(iter(self._keys(_LIVING, owner)), None)

    def by_ids(self, key_ids: Sequence[str]) -> Sequence[WrappedKey]:
        """Return those of the keys that exist, in use or destroyed."""
        return self._keys(_BY_IDS, list(key_ids))

    def add(self, key: WrappedKey) -> WrappedKey:
        """Store a new key; where a rival was first, return the rival's."""
        while True:
            with self._transaction() as cursor:
                row = (key.key_id, key.owner, key.wrapped, self._clock())
                if cursor.execute(_ADD, row).rowcount:
                    return key
            rival = self.living(key.owner)
            if rival is not None:  # else it was destroyed just now: ours may come in
                return rival

    def _keys(self, query: str, argument: object) -> list[WrappedKey]:
        with self._transaction() as cursor:
            rows = cursor.execute(query, (argument,)).fetchall()
        return [
            WrappedKey(key_id, owner, None if wrapped is None else bytes(wrapped))
            for key_id, owner, wrapped in rows
        ]


def forget(
    cursor: Cursor[tuple[Any, ...]], owner: str, because: str, now: datetime
) -> bool:
    """Destroy the key of `owner` for ever; False where there was none in use.

    Running processes may still use it for `vault.REMEMBERED_SECONDS`; what is written
    about the owner afterwards gets a new key. The row before is in the table's file
    until `vault_erasure.erase`, and copies of it live on in backups.
    """
    if owner == WITNESS:
        raise ValueError(f"{WITNESS} guards the vault itself: it is never destroyed")
    return cursor.execute(_FORGET, (now, because, owner)).rowcount > 0


def was_forgotten(cursor: Cursor[tuple[Any, ...]], owner: str) -> bool:
    """Tell whether a key of `owner` was destroyed at some time."""
    return cursor.execute(_WAS_FORGOTTEN, (owner,)).rowcount > 0
