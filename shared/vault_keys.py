"""The vault's key table in PostgreSQL, each access in a transaction of its own."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from psycopg import Cursor

from shared.clock import Clock
from shared.vault import WrappedKey

Transaction = Callable[[], AbstractContextManager[Cursor[tuple[Any, ...]]]]

_LIVING = """
SELECT key_id, owner, wrapped FROM vault.keys
WHERE owner = %s AND destroyed_at IS NULL
"""
_BY_ID = "SELECT key_id, owner, wrapped FROM vault.keys WHERE key_id = %s"
_ADD = """
INSERT INTO vault.keys (key_id, owner, wrapped, created_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (owner) WHERE destroyed_at IS NULL DO NOTHING
"""


class StoredKeys:
    """`KeyStore` on `vault.keys`."""

    def __init__(self, transaction: Transaction, clock: Clock) -> None:
        self._transaction = transaction
        self._clock = clock

    def living(self, owner: str) -> WrappedKey | None:
        """Return the owner's key that is in use."""
        return self._one(_LIVING, owner)

    def by_id(self, key_id: str) -> WrappedKey | None:
        """Return a key, in use or destroyed."""
        return self._one(_BY_ID, key_id)

    def add(self, key: WrappedKey) -> WrappedKey:
        """Store a new key; where a rival was first, return the rival's."""
        with self._transaction() as cursor:
            cursor.execute(_ADD, (key.key_id, key.owner, key.wrapped, self._clock()))
        return self.living(key.owner) or key

    def _one(self, query: str, argument: str) -> WrappedKey | None:
        with self._transaction() as cursor:
            row = cursor.execute(query, (argument,)).fetchone()
        if row is None:
            return None
        key_id, owner, wrapped = row
        return WrappedKey(key_id, owner, None if wrapped is None else bytes(wrapped))
