"""Seals rows about who may sign in, with a key derived from the vault's master key.

Services insert these rows with their own roles of the database. A thief of the password
of such a role can insert rows as well, but cannot seal them; others are not believed.
"""

import hmac
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from shared.domain.limits import limits_from, names_of
from shared.security.rights import Grant

SealKeys = Callable[[], Sequence[bytes]]
"""Returns the keys that may have sealed a row, the current one first; none without a
vault."""
PURPOSE = "sign-in"
"""The purpose of the keys: see `Vault.keys_for`."""


class NoVault(Exception):
    """Nobody can be signed in by a process without the vault's master key."""


def no_keys() -> Sequence[bytes]:
    """Return no keys: a process without any accepts no row."""
    return ()


def seal(keys: SealKeys, row: Mapping[str, object]) -> bytes:
    """Return the seal of a row. Raises `NoVault`."""
    held = keys()
    if not held:
        raise NoVault("signing in takes the vault: set PERMANENCE_VAULT_KEY_FILE")
    return _mac(held[0], row)


def is_sealed(keys: SealKeys, row: Mapping[str, object], sealed: bytes) -> bool:
    """Return whether one of the keys sealed exactly this row."""
    return any(hmac.compare_digest(_mac(key, row), sealed) for key in keys())


def rights_json(grants: Iterable[Grant]) -> list[dict[str, object]]:
    """Return rights as a row keeps them."""
    return [
        {"role": grant.role, **names_of(grant.limits)._asdict()} for grant in grants
    ]


def rights_of(stored: Iterable[Mapping[str, Any]]) -> Sequence[Grant]:
    """Return the rights that a sealed row keeps."""
    return tuple(
        Grant(
            "",
            each["role"],
            limits_from(each["clients"], each["services"], each["teams"]),
        )
        for each in stored
    )


def _mac(key: bytes, row: Mapping[str, object]) -> bytes:
    plain = {name: _plain(value) for name, value in row.items()}
    return hmac.digest(key, json.dumps(plain, sort_keys=True).encode(), sha256)


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.timestamp()
        case bytes():
            return value.hex()
        case _:
            return value
