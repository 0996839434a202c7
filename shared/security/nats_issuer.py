"""The signing key that authorizes sources of signals to connect to NATS.

The server's configuration contains the public key; intake signs with the seed. Both are
NKeys: a type, 32 bytes and a checksum, in base32.
https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth
"""

import secrets
from base64 import b32decode, b32encode
from binascii import crc_hqx
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_KEY_BYTES = 32
_ACCOUNT = 0
_SEED = 18 << 3
_SEED_OF_ACCOUNT = bytes([_SEED | _ACCOUNT >> 5, (_ACCOUNT & 31) << 3])
_SEED_CHARACTERS = 58


@dataclass(frozen=True, slots=True)
class Issuer:
    """The key of an account; `public` is the public key in the form that NATS uses."""

    public: str
    _key: Ed25519PrivateKey

    @classmethod
    def of(cls, seed: str) -> Self:
        """Return the key of `seed`; `ValueError` if that is not a valid seed."""
        key = Ed25519PrivateKey.from_private_bytes(_unwrapped(seed))
        raw = key.public_key().public_bytes_raw()
        return cls(_wrapped(bytes([_ACCOUNT]), raw), key)

    def sign(self, data: bytes) -> bytes:
        """Return the Ed25519 signature of `data`."""
        return self._key.sign(data)


def new_seed() -> str:
    """Return the seed of a new key."""
    return seed_of(secrets.token_bytes(_KEY_BYTES))


def seed_of(key: bytes) -> str:
    """Return the seed of a key of 32 bytes."""
    return _wrapped(_SEED_OF_ACCOUNT, key)


def _wrapped(kind: bytes, key: bytes) -> str:
    checked = kind + key
    return b32encode(checked + _checksum(checked)).decode().rstrip("=")


def _unwrapped(seed: str) -> bytes:
    try:
        raw = b32decode(seed + "=" * (-len(seed) % 8))
    except ValueError:
        raw = b""
    checked, checksum = raw[:-2], raw[-2:]
    if (
        len(seed) != _SEED_CHARACTERS
        or not checked.startswith(_SEED_OF_ACCOUNT)
        or checksum != _checksum(checked)
    ):
        raise ValueError("write the seed of an account's NKey: it begins with SA")
    return checked[len(_SEED_OF_ACCOUNT) :]


def _checksum(data: bytes) -> bytes:
    return crc_hqx(data, 0).to_bytes(2, "little")
