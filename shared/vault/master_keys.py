"""The vault's master keys in a file: the first one wraps keys, all of them unwrap.

There is more than one while the master key is rotated. A running service reads the file
again when it has changed, so a rotation needs no restart.
"""

import base64
import hmac
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

KEY_BYTES = 32
KEYS_MAX = 8
"""The maximum number in a file: one more for each unfinished rotation."""


class UnusableMasterKeys(Exception):
    """A file of master keys cannot be read; the sentence says why."""


class MasterKeys:
    """The master keys, the current one first; any thread may use them."""

    def __init__(self, keys: Sequence[bytes], file: Path | None = None) -> None:
        self._keys = tuple(keys)
        self._file = file
        self._seen = _mark(file)

    @classmethod
    def read(cls, file: Path) -> Self:
        """Return the keys in `file`, in base64, separated by white space."""
        return cls(_keys_in(file), file)

    @property
    def keys(self) -> Sequence[bytes]:
        """All keys, the current one first."""
        return self._keys

    def refresh(self) -> None:
        """Read the file again if it has changed; ignore an unreadable file."""
        mark = _mark(self._file)
        if self._file is None or mark is None or mark == self._seen:
            return
        try:
            self._keys = tuple(_keys_in(self._file))
        except UnusableMasterKeys:
            return
        self._seen = mark

    def wrap(self, key: bytes) -> bytes:
        """Return `key` wrapped with the current master key."""
        self.refresh()
        return aes_key_wrap(self._keys[0], key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the key that any of the master keys wrapped, or `InvalidUnwrap`."""
        try:
            return self._unwrap(wrapped)
        except InvalidUnwrap:
            self.refresh()
            return self._unwrap(wrapped)

    def is_current(self, wrapped: bytes) -> bool:
        """Return whether the current master key unwraps `wrapped`."""
        try:
            aes_key_unwrap(self._keys[0], wrapped)
        except InvalidUnwrap:
            return False
        return True

    def derived(self, purpose: str) -> Sequence[bytes]:
        """Return a key for another purpose than text, for each master key in order.

        It reveals nothing about the master key, nor about the key for another purpose.
        """
        self.refresh()
        return [hmac.digest(key, purpose.encode(), sha256) for key in self._keys]

    def _unwrap(self, wrapped: bytes) -> bytes:
        for key in self._keys:
            try:
                return aes_key_unwrap(key, wrapped)
            except InvalidUnwrap:
                continue
        raise InvalidUnwrap


def fresh_key() -> bytes:
    """Return a new master key."""
    return os.urandom(KEY_BYTES)


def text_of(keys: Sequence[bytes]) -> str:
    """Return the text of a file: one key per line, the current one first."""
    return "".join(base64.b64encode(key).decode() + "\n" for key in keys)


def keys_of(text: str) -> Sequence[bytes]:
    """Return the keys in such a text; raises `ValueError` for any other content."""
    keys = [base64.b64decode(word, validate=True) for word in text.split()]
    if not 0 < len(keys) <= KEYS_MAX or {len(key) for key in keys} != {KEY_BYTES}:
        raise ValueError(f"not 1 to {KEYS_MAX} keys of {KEY_BYTES} bytes")
    return keys


def _keys_in(file: Path) -> Sequence[bytes]:
    try:
        text = file.read_bytes()
    except OSError as error:
        raise UnusableMasterKeys(
            f"the vault's master key {file} cannot be read ({error.strerror}): "
            "does PERMANENCE_VAULT_KEY_FILE name it?"
        ) from error
    try:
        return keys_of(text.decode("ascii"))
    except ValueError as error:
        raise UnusableMasterKeys(
            f"{file} does not hold a master key: 32 bytes in base64; during a rotation "
            "the former ones after it"
        ) from error


def _mark(file: Path | None) -> tuple[int, ...] | None:
    """Return a mark that changes with the file; None if the file is inaccessible."""
    try:
        found = file.stat() if file is not None else None
    except OSError:
        return None
    return found and (found.st_ino, found.st_mtime_ns, found.st_size)
