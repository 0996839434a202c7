"""Wraps the vault's keys under another master key, while services go on.

The words stay sealed as they are: under keys that the master key wraps. Killed at any
moment it is begun again, and does what is left.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap

from shared.vault.keys import Transaction
from shared.vault.master_keys import MasterKeys
from shared.vault.vault import VaultError

BATCH = 500
"""Keys in one transaction."""

_PAGE = """
SELECT key_id, owner, wrapped FROM vault.keys
WHERE wrapped IS NOT NULL AND key_id > %s ORDER BY key_id LIMIT %s
"""
# A key that was destroyed, or wrapped again, since it was read is left alone.
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
    """Wrap every key under the current master key; return how many were not.

    Repeats until all are done: a service may still have wrapped a new one under
    the former. Raises `VaultError` for a key that none of the master keys opens.
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
