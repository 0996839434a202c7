"""Reads the secrets of sources from where the policy's references point.

Only this module reads them. Keys are kept as hashes; signing secrets have to be kept in
plain form.
"""

import hmac
import os
import time
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import structlog

from shared.domain.policy.document import Policy
from shared.domain.policy.sources import Monitor

REREAD_SECONDS = 5.0
"""How long an old secret stays valid after its file has changed."""
SECRET_BYTES_MAX = 4_096
KEY_LENGTH_MIN = 16
"""A shorter key can be guessed, so it counts as missing."""

_log = structlog.get_logger(__name__)


class Secrets:
    """The secrets that the policy refers to, reread every few seconds."""

    def __init__(
        self,
        environment: Mapping[str, str] = os.environ,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environment = environment
        self._elapsed = elapsed
        self._policy: Policy | None = None
        self._read_at = float("-inf")
        self._keys: dict[bytes, str] = {}
        self._signing: dict[str, tuple[bytes, ...]] = {}
        self._missing: frozenset[str] = frozenset()

    def are_fresh(self, policy: Policy) -> bool:
        """Return whether the secrets of `policy` were read recently; never blocks."""
        recent = self._elapsed() - self._read_at < REREAD_SECONDS
        return recent and self._policy is policy

    def read(self, policy: Policy) -> None:
        """Read all secrets; blocks. Unreadable ones are missing, and logged once."""
        keys: dict[bytes, str] = {}
        signing: dict[str, tuple[bytes, ...]] = {}
        missing = set()
        for name, source in _monitors(policy):
            if source.key is not None:
                key = self._value(source.key)
                if key is None or len(key) < KEY_LENGTH_MIN:
                    missing.add(f"sources.{name}.key")
                else:
                    keys[sha256(key).digest()] = name
            if source.signature is not None:
                rule = source.signature
                written = [each for each in (rule.secret, rule.old_secret) if each]
                values = [self._value(each) for each in written]
                if None in values:
                    missing.add(f"sources.{name}.signature")
                signing[name] = tuple(value for value in values if value)
        for where in sorted(missing - self._missing):
            _log.warning("secret.missing", where=where)
        self._keys, self._signing = keys, signing
        self._missing = frozenset(missing)
        self._policy, self._read_at = policy, self._elapsed()

    def source_of(self, key: str) -> str | None:
        """Return the source for which the policy names this key."""
        digest = sha256(key.encode(errors="replace")).digest()
        found = None
        for held, name in self._keys.items():
            if hmac.compare_digest(held, digest):
                found = name
        return found

    def digests(self, source: str) -> list[bytes]:
        """Return the hashes of the keys that the policy names for `source`."""
        return [digest for digest, name in self._keys.items() if name == source]

    def signing(self, source: str) -> tuple[bytes, ...]:
        """Return the secrets for signatures of `source`; empty if unreadable."""
        return self._signing.get(source, ())

    def _value(self, reference: str) -> bytes | None:
        kind, _, where = reference.partition(":")
        if kind == "env":
            return self._environment.get(where, "").encode() or None
        try:
            with Path(where).open("rb") as file:
                return file.read(SECRET_BYTES_MAX).strip() or None
        except OSError:
            return None


def _monitors(policy: Policy) -> Iterator[tuple[str, Monitor]]:
    for name, source in policy.sources.items():
        if isinstance(source, Monitor):
            yield name, source
