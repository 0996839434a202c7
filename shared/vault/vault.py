"""Encrypts and decrypts personal text, with one key for each owner, outside the log.

An encrypted value has the form `v1.<key id>.<base64url of nonce and ciphertext>`, and
associated data bind it to its place: moved to another row or field, it cannot be
decrypted.

To forget a person, their key is destroyed: the log does not change, but its text about
them can no longer be read. Each access to the key table has a transaction of its own.
"""

import base64
import hmac
import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap

from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.vault.master_keys import KEY_BYTES, MasterKeys, UnusableMasterKeys

REMEMBERED_SECONDS = 15.0
"""How long running processes may still use a destroyed key."""
WITNESS = "system:vault"
"""The owner of the key that verifies that a master key belongs to this log."""

_NONCE_BYTES = 12
HELD_MAX = 100_000
"""Keys in memory; the one loaded longest ago makes room for another."""
_SPARE_SECONDS = 6.0
_FINGERPRINT = re.compile(r"f1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{22})")
_MAC_BYTES = 16
_MAC_PURPOSE = b"fingerprint"
_SEALED = re.compile(r"v1\.([0-9a-f]{16})\.([A-Za-z0-9_=-]+)")
_SEALED_IN_JSON = re.compile(rb'"sealed":"v1\.([0-9a-f]{16})\.')
_MARKED_IN_JSON = re.compile(rb'"fingerprint":"f1\.([0-9a-f]{16})\.')


class WrappedKey(NamedTuple):
    """A row of the key table; `wrapped` is None once the key is destroyed."""

    key_id: str
    owner: str
    wrapped: bytes | None


class KeyStore(Protocol):
    """Storage of wrapped keys: `StoredKeys` in PostgreSQL, a dict in tests."""

    def living(self, owners: Sequence[str]) -> Sequence[WrappedKey]:
        """Return the active keys of those owners who have one."""

    def by_ids(self, key_ids: Sequence[str]) -> Sequence[WrappedKey]:
        """Return those of the keys that exist, active or destroyed."""

    def add(self, keys: Sequence[WrappedKey]) -> Sequence[WrappedKey]:
        """Store new keys; return those, or what another process stored first."""


class VaultError(Exception):
    """A request to the vault failed; the sentence says why."""


class NoMasterKey(VaultError):
    """A process without a master key cannot seal."""


class _Held(NamedTuple):
    key_id: str
    owner: str
    cipher: AESGCM | None
    mac_key: bytes
    until: float


class Vault:
    """Encrypts with an owner's key, and decrypts with any key.

    Without a master key it only reads, and every encrypted value is `None`: for
    services that do not need personal text.
    """

    def __init__(
        self,
        keys: KeyStore,
        master: MasterKeys | None,
        elapsed: Callable[[], float] = time.monotonic,
        held_max: int = HELD_MAX,
    ) -> None:
        self._keys = keys
        self._master = master
        self._elapsed = elapsed
        self._by_owner: dict[str, _Held] = {}
        self._by_id: OrderedDict[str, _Held] = OrderedDict()
        self._held_max = held_max

    def prove(self) -> None:
        """Verify that a key could be read now."""
        if self._master is not None:
            self._keys.by_ids(())

    def prove_master(self) -> None:
        """Raise `VaultError` if the master key is not the one of this vault.

        A vault without any key proves nothing, and stays without one.
        """
        for witness in self._keys.living([WITNESS]):
            self._hold(witness)

    def _is_proven(self) -> bool:
        """Return whether the master key opens the witness, which nobody can replace."""
        try:
            self.prove_master()
        except VaultError:
            return False
        return True

    def prepare(self, owner: str) -> None:
        """Load the key of `owner` into the cache for the next seconds.

        Call it before a transaction, so that no key is read while locks are held.
        """
        self._sealing(owner, _SPARE_SECONDS)

    def prepare_all(self, owners: Iterable[str]) -> None:
        """Load the keys of many owners as `prepare` does, in two queries.

        One that cannot be opened is left out: sealing with it is refused later.
        """
        soon = self._elapsed() + _SPARE_SECONDS
        wanted = {
            owner
            for owner in owners
            if (held := self._by_owner.get(owner)) is None or held.until < soon
        }
        if self._master is None or not wanted:
            return
        found = {key.owner: key for key in self._keys.living(sorted(wanted))}
        if lacking := sorted(wanted - found.keys()):
            self._sealing(WITNESS, 0)
            fresh = [_fresh(owner, self._master) for owner in lacking]
            found |= {key.owner: key for key in self._keys.add(fresh)}
        for owner, key in found.items():
            with suppress(VaultError):
                self._by_owner[owner] = self._hold(key)

    def learn(self, key_ids: Iterable[str]) -> None:
        """Load these keys into the cache for the next seconds, in one query."""
        if self._master is None:
            return
        soon = self._elapsed() + _SPARE_SECONDS
        wanted = {
            key_id
            for key_id in key_ids
            if (held := self._by_id.get(key_id)) is None or held.until < soon
        }
        if wanted:
            for key in self._keys.by_ids(sorted(wanted)):
                self._hold(key)

    def drop(self) -> None:
        """Clear the cache of keys: another server may have other ones."""
        self._by_id.clear()
        self._by_owner.clear()

    def key_for(self, purpose: str) -> bytes | None:
        """Return the signing key for a purpose; None without a master key.

        Use `keys_for` to verify.
        """
        return next(iter(self.keys_for(purpose)), None)

    def keys_for(self, purpose: str) -> Sequence[bytes]:
        """Return the keys that verify signatures of `key_for`, the current one first.

        There is one for each master key.
        """
        return () if self._master is None else self._master.derived(purpose)

    def seal(self, owner: str, words: bytes, place: str) -> str:
        """Return `words` encrypted with the key of `owner` and bound to `place`."""
        held = self._sealing(owner, 0)
        if held.cipher is None:
            raise VaultError(f"the key {held.key_id} of {owner} is destroyed")
        nonce = os.urandom(_NONCE_BYTES)
        hidden = nonce + held.cipher.encrypt(nonce, words, place.encode())
        return f"v1.{held.key_id}.{base64.urlsafe_b64encode(hidden).decode()}"

    def fingerprint(self, owner: str, words: bytes, place: str) -> str:
        """Return what recognizes `words` at `place` as long as the owner's key lives.

        It says nothing of the words: without the key, no guess can be compared with it.
        """
        held = self._sealing(owner, 0)
        if held.cipher is None:
            raise VaultError(f"the key {held.key_id} of {owner} is destroyed")
        return _fingerprint(held, words, place)

    def recognizes(
        self, owner: str, fingerprint: str, words: bytes, place: str
    ) -> bool | None:
        """Return whether a fingerprint is that of `words`; it can have been forged.

        None if nobody can say: the owner's key was destroyed and they have no other, or
        there is no master key. A key that the vault does not hold, or that it says is
        somebody else's, proves nothing, whether or not it can be unwrapped.
        """
        if self._master is None:
            return None
        parts = _FINGERPRINT.fullmatch(fingerprint)
        try:
            held = self._held(parts[1], owner) if parts else None
        except VaultError:  # of another master key; or somebody made the key up
            return False if self._is_proven() else None
        if held is None:
            return False
        if held.cipher is None:
            return False if self._keys.living([owner]) else None
        return hmac.compare_digest(_fingerprint(held, words, place), fingerprint)

    def open(self, sealed: str, place: str) -> bytes | None:
        """Return the text, or None if the key is destroyed or without a master key.

        Raises `VaultError` if the value was changed or moved, or its key is lost.
        """
        parts = _SEALED.fullmatch(sealed)
        if parts is None:
            raise VaultError(f"the words at {place} are not sealed in a way we know")
        if self._master is None:
            return None
        cipher = self._opening(parts[1], place)
        if cipher is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(parts[2])
            return cipher.decrypt(
                raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.encode()
            )
        except (InvalidTag, ValueError) as error:
            raise VaultError(f"the sealed words at {place} were changed") from error

    def _sealing(self, owner: str, spare: float) -> _Held:
        held = self._by_owner.get(owner)
        if held is not None and held.until > self._elapsed() + spare:
            return held
        if self._master is None:
            raise NoMasterKey("this service has no master key: it may not seal")
        found = self._keys.living([owner]) or self._add(owner, self._master)
        held = self._hold(found[0])
        self._by_owner[owner] = held
        return held

    def _add(self, owner: str, master: MasterKeys) -> Sequence[WrappedKey]:
        if owner != WITNESS:  # a wrong master key must not start a second vault
            self._sealing(WITNESS, 0)
        return self._keys.add([_fresh(owner, master)])

    def _opening(self, key_id: str, place: str) -> AESGCM | None:
        held = self._held(key_id)
        if held is None:
            raise VaultError(
                f"the key {key_id} of the words at {place} is not in the vault: "
                "put the vault's keys back from the backup of the same day"
            )
        return held.cipher

    def _held(self, key_id: str, owner: str | None = None) -> _Held | None:
        """Return a key; None if there is none, or it is not that of `owner`."""
        held = self._by_id.get(key_id)
        if held is not None and held.until > self._elapsed():
            return held if owner in (None, held.owner) else None
        found = self._keys.by_ids([key_id])
        if not found or owner not in (None, found[0].owner):
            return None
        return self._hold(found[0])

    def _hold(self, key: WrappedKey) -> _Held:
        raw = None if key.wrapped is None else self._unwrapped(key, key.wrapped)
        self._by_id.pop(key.key_id, None)
        while len(self._by_id) >= self._held_max:
            self._evict()
        held = _Held(
            key.key_id,
            key.owner,
            None if raw is None else AESGCM(raw),
            b"" if raw is None else hmac.digest(raw, _MAC_PURPOSE, sha256),
            self._elapsed() + REMEMBERED_SECONDS,
        )
        self._by_id[key.key_id] = held
        return held

    def _evict(self) -> None:
        with suppress(KeyError):  # another thread dropped all meanwhile
            _, oldest = self._by_id.popitem(last=False)
            living = self._by_owner.get(oldest.owner)
            if living is not None and living.key_id == oldest.key_id:
                self._by_owner.pop(oldest.owner, None)

    def _unwrapped(self, key: WrappedKey, wrapped: bytes) -> bytes:
        assert self._master is not None  # noqa: S101 # no key is asked for without it
        try:
            return self._master.unwrap(wrapped)
        except InvalidUnwrap as error:
            raise VaultError(
                f"the master key does not open key {key.key_id} of {key.owner}: "
                "is PERMANENCE_VAULT_KEY_FILE the file this log was begun with?"
            ) from error


def _fresh(owner: str, master: MasterKeys) -> WrappedKey:
    wrapped = master.wrap(AESGCM.generate_key(8 * KEY_BYTES))
    return WrappedKey(os.urandom(8).hex(), owner, wrapped)


def _fingerprint(held: _Held, words: bytes, place: str) -> str:
    bound = len(place).to_bytes(4) + place.encode() + words
    mac = hmac.digest(held.mac_key, bound, sha256)[:_MAC_BYTES]
    return f"f1.{held.key_id}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def key_ids(states: Iterable[bytes]) -> set[str]:
    """Return the ids of the keys with which stored events were encrypted."""
    return {
        found.decode() for state in states for found in _SEALED_IN_JSON.findall(state)
    }


def keys_needed(states: Iterable[bytes]) -> set[str]:
    """Return the ids of the keys that stored events take: also of fingerprints."""
    held = list(states)
    marked = (each for state in held for each in _MARKED_IN_JSON.findall(state))
    return key_ids(held) | {found.decode() for found in marked}


def key_of_fingerprint(fingerprint: str) -> str:
    """Return the id of the key of a fingerprint."""
    return fingerprint.split(".")[1]


def key_of(sealed: str) -> str:
    """Return the id of the key with which a value was encrypted."""
    parts = _SEALED.fullmatch(sealed)
    if parts is None:
        raise VaultError("the value is not sealed in a way we know")
    return parts[1]


def read_master_keys(file: Path) -> MasterKeys:
    """Return the master keys in `file`; raises `VaultError` for a file without keys."""
    try:
        return MasterKeys.read(file)
    except UnusableMasterKeys as error:
        raise VaultError(str(error)) from error


Transaction = Callable[[], AbstractContextManager[Cursors]]

_LIVING = """
SELECT key_id, owner, wrapped FROM vault.keys
WHERE owner = ANY(%s) AND destroyed_at IS NULL
"""
_BY_IDS = "SELECT key_id, owner, wrapped FROM vault.keys WHERE key_id = ANY(%s)"
_ADD = """
INSERT INTO vault.keys (key_id, owner, wrapped, created_at)
SELECT fresh.*, %s FROM unnest(%s::text[], %s::text[], %s::bytea[]) AS fresh
ON CONFLICT (owner) WHERE destroyed_at IS NULL DO NOTHING RETURNING owner
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

    def living(self, owners: Sequence[str]) -> Sequence[WrappedKey]:
        """Return the active keys of those owners who have one."""
        return self._keys(_LIVING, list(owners))

    def by_ids(self, key_ids: Sequence[str]) -> Sequence[WrappedKey]:
        """Return those of the keys that exist, active or destroyed."""
        return self._keys(_BY_IDS, list(key_ids))

    def add(self, keys: Sequence[WrappedKey]) -> Sequence[WrappedKey]:
        """Store new keys; return those, or what another process stored first."""
        left = {key.owner: key for key in keys}
        stored: list[WrappedKey] = []
        while left:
            # in the order of the owners, so that nobody waits in a circle
            ordered = [left[owner] for owner in sorted(left)]
            columns = [list(column) for column in zip(*ordered, strict=True)]
            with self._transaction() as cursor:
                cursor.execute(_ADD, (self._clock(), *columns))
                added = [left.pop(owner) for (owner,) in cursor.fetchall()]
            rivals = self.living(sorted(left)) if left else ()
            for rival in rivals:  # one that was just destroyed: insert again
                del left[rival.owner]
            stored += (*added, *rivals)
        return stored

    def _keys(self, query: str, argument: object) -> list[WrappedKey]:
        with self._transaction() as cursor:
            rows = cursor.execute(query, (argument,)).fetchall()
        return [
            WrappedKey(key_id, owner, None if wrapped is None else bytes(wrapped))
            for key_id, owner, wrapped in rows
        ]


def forget(cursor: Cursors, owner: str, because: str, now: datetime) -> bool:
    """Destroy the key of `owner` permanently; False if there was no active one.

    Running processes may still use it for `REMEMBERED_SECONDS`; later text about the
    owner gets a new key. The former row remains in the table's file until
    `rotation.erase`, and in backups.
    """
    if owner == WITNESS:
        raise ValueError(f"{WITNESS} guards the vault itself: it is never destroyed")
    return cursor.execute(_FORGET, (now, because, owner)).rowcount > 0


def was_forgotten(cursor: Cursors, owner: str) -> bool:
    """Return whether a key of `owner` was ever destroyed."""
    return cursor.execute(_WAS_FORGOTTEN, (owner,)).rowcount > 0
