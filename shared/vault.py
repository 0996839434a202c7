"""Seals and opens personal words, under one key an owner, kept outside the log.

A sealed value reads `v1.<key id>.<base64url of nonce and ciphertext>` and is bound by
associated data to its place: moved to another row or field, it no longer opens.
"""

import base64
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

_KEY_BYTES = 32
_NONCE_BYTES = 12
_REMEMBERED_SECONDS = 60.0
"""How long a destroyed key may still open what a running process reads."""


class WrappedKey(NamedTuple):
    """A row of the key table; `wrapped` is None once the key is destroyed."""

    key_id: str
    owner: str
    wrapped: bytes | None


class KeyStore(Protocol):
    """Where wrapped keys lie: `shared.vault_keys` in PostgreSQL, a dict in tests."""

    def living(self, owner: str) -> WrappedKey | None:
        """Return the owner's key that is in use."""

    def by_id(self, key_id: str) -> WrappedKey | None:
        """Return a key, in use or destroyed."""

    def add(self, key: WrappedKey) -> WrappedKey:
        """Store a new key, or return the one that a rival stored first."""


class VaultError(Exception):
    """The vault cannot do what was asked; the sentence says why."""


class _Held(NamedTuple):
    key_id: str
    cipher: AESGCM | None
    until: float


class Vault:
    """Seals under an owner's key and opens what any key sealed.

    Without a master key it only reads, and every sealed value is `None`: for services
    that have no business with personal words.
    """

    def __init__(
        self,
        keys: KeyStore,
        master: bytes | None,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._master = master
        self._elapsed = elapsed
        self._by_owner: dict[str, _Held] = {}
        self._by_id: dict[str, _Held] = {}

    def prepare(self, owner: str) -> None:
        """Make sure `owner` has a key at hand, before a transaction is open."""
        self._sealing(owner)

    def seal(self, owner: str, words: bytes, place: str) -> str:
        """Return `words` sealed under the key of `owner` and bound to `place`."""
        held = self._sealing(owner)
        nonce = os.urandom(_NONCE_BYTES)
        if held.cipher is None:
            raise VaultError(f"the key {held.key_id} of {owner} is destroyed")
        hidden = nonce + held.cipher.encrypt(nonce, words, place.encode())
        return f"v1.{held.key_id}.{base64.urlsafe_b64encode(hidden).decode()}"

    def open(self, sealed: str, place: str) -> bytes | None:
        """Return the words, or None where the key is destroyed or not ours to use.

        Raises `VaultError` where the value was tampered with or moved.
        """
        version, key_id, hidden = sealed.split(".", 2)
        if version != "v1":
            raise VaultError(f"sealed in an unknown way: {version}")
        cipher = self._opening(key_id).cipher
        if cipher is None:
            return None
        raw = base64.urlsafe_b64decode(hidden)
        try:
            return cipher.decrypt(
                raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.encode()
            )
        except InvalidTag as error:
            raise VaultError(f"the sealed words at {place} were changed") from error

    def _sealing(self, owner: str) -> _Held:
        held = self._by_owner.get(owner)
        if held is not None and held.until > self._elapsed():
            return held
        master = self._master
        if master is None:
            raise VaultError("this service has no master key: it may not seal")
        key = self._keys.living(owner)
        if key is None:
            fresh = aes_key_wrap(master, AESGCM.generate_key(8 * _KEY_BYTES))
            key = self._keys.add(WrappedKey(os.urandom(8).hex(), owner, fresh))
        held = self._by_owner[owner] = self._by_id[key.key_id] = self._hold(key)
        return held

    def _opening(self, key_id: str) -> _Held:
        held = self._by_id.get(key_id)
        if held is not None and held.until > self._elapsed():
            return held
        key = self._keys.by_id(key_id) if self._master else None
        held = self._hold(key or WrappedKey(key_id, "", None))
        self._by_id[key_id] = held
        return held

    def _hold(self, key: WrappedKey) -> _Held:
        until = self._elapsed() + _REMEMBERED_SECONDS
        if key.wrapped is None or self._master is None:
            return _Held(key.key_id, None, until)
        try:
            plain = aes_key_unwrap(self._master, key.wrapped)
        except InvalidUnwrap as error:
            raise VaultError(
                f"the master key does not open key {key.key_id} of {key.owner}: "
                "is PERMANENCE_VAULT_KEY_FILE the file this log was begun with?"
            ) from error
        return _Held(key.key_id, AESGCM(plain), until)


def read_master_key(file: Path) -> bytes:
    """Return the 32-byte master key that `file` holds in base64."""
    try:
        master = base64.b64decode(file.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise VaultError(f"cannot read the vault's master key: {error}") from error
    if len(master) != _KEY_BYTES:
        raise VaultError(f"{file} does not hold 32 bytes in base64")
    return master
