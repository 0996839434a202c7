"""Authenticates callers by key: one named in the policy, or a token.

Only this module reads the secrets of sources, from where the policy's references point.
Keys are kept as hashes; signing secrets have to be kept in plain form.

Wrong keys are limited by the address that they come from.
"""

import asyncio
import hmac
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from functools import partial
from hashlib import sha256
from pathlib import Path

import structlog
from starlette.requests import Request

from services.intake.policy.store import InForce
from shared.domain.policy.document import Policy
from shared.domain.policy.sources import Monitor
from shared.http.bearer import Verify, caller_of, require_scope
from shared.http.problem_details import HttpError
from shared.http.wrong_keys import WrongKeys
from shared.security.access import Access, Caller
from shared.security.rights import Grant
from shared.security.sender import READERS
from shared.threads import in_thread

REREAD_SECONDS = 5.0
"""How long an old secret stays valid after its file has changed."""
SECRET_BYTES_MAX = 4_096
KEY_LENGTH_MIN = 16
"""A shorter key can be guessed, so it counts as missing."""
_OF_SOURCES = (Grant("", "source"),)
POLICY_KEY = "policy"
"""The key id of a key named in the policy."""
_SOURCE = "source:"
_log = structlog.get_logger(__name__)


def bearer(request: Request) -> str | None:
    """Return the bearer token of a request, or None."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def caller_at(access: Access, executor: Executor, token: str | None) -> Caller:
    """Return the caller with this token; raise `HttpError` 401 if it is invalid."""

    async def blocking(verify: Verify, asked: str) -> Caller | None:
        return await in_thread(executor, verify, asked)

    return await caller_of(access, token, blocking, acts=True)


def source_of(caller: Caller) -> str:
    """Return the calling source; raise `HttpError` 403 if it is not a source."""
    require_scope(caller, "source")
    if not caller.actor.startswith(_SOURCE):
        raise HttpError(
            403,
            "signals are sent with the key of a source: make one with "
            "`permanence token create --actor source:<name> --scope source`",
            code="scope",
        )
    return caller.actor.removeprefix(_SOURCE)


def seen_by(caller: Caller) -> str | None:
    """Return the source whose signals the caller may see, or None for people.

    Raises `HttpError` 403 if the caller may not see any.
    """
    if caller.actor.startswith(_SOURCE):
        return caller.actor.removeprefix(_SOURCE)
    require_scope(caller, *READERS)
    return None


def key_id_of(caller: Caller, key: str) -> str:
    """Return an id for a caller's key that does not reveal the key."""
    if caller.token_id != POLICY_KEY:
        return caller.token_id
    return _policy_key_id(sha256(key.encode(errors="replace")).digest())


def _policy_key_id(digest: bytes) -> str:
    return f"{POLICY_KEY}-{digest[:6].hex()}"


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


class Keys:
    """Looks up callers by their keys."""

    def __init__(
        self,
        access: Access,
        executor: Executor,
        in_force: InForce,
        secrets: Secrets,
        wrong_keys: WrongKeys,
    ) -> None:
        self._access = access
        self._executor = executor
        self._in_force = in_force
        self._secrets = secrets
        self._wrong_keys = wrong_keys
        self._reading = asyncio.Lock()

    async def caller(self, key: str | None, address: Callable[[], str]) -> Caller:
        """Return the caller, whatever its rights; `HttpError` 401 without a valid key.

        Raises 429 if too many wrong keys came from its address: then only keys that may
        be valid are looked up.
        """
        return await self._wrong_keys.limit(
            address, partial(self._may_be_good, key), partial(self._found, key)
        )

    async def knows(self, source: str, *, now: bool) -> bool:
        """Return whether the policy names a source, or a valid token exists for it.

        The answer may be some seconds old; with `now`, an unknown source is looked up
        again.
        """
        actor = f"source:{source}"
        if source in (
            await self._in_force.known()
        ).sources or self._access.remembers_source(actor):
            return True
        ask = partial(self._access.has_source, actor, now=now)
        return await in_thread(self._executor, ask)

    async def holds(self, source: str, key_id: str) -> bool:
        """Return whether the key with which a source was admitted is still valid.

        `key_id` is the id that `key_id_of` returned at that time.
        """
        policy = await self._in_force.known()
        if not self._secrets.are_fresh(policy):
            await self._read(policy)
        if key_id.startswith(POLICY_KEY):
            return key_id in map(_policy_key_id, self._secrets.digests(source))
        return await in_thread(self._executor, self._access.lives, key_id)

    async def _found(self, key: str | None) -> Caller:
        """Return the caller; waits for a policy, which may name the key."""
        named = await self._named(key)
        if named is not None:
            return Caller(f"source:{named}", _OF_SOURCES, POLICY_KEY)
        return await caller_at(self._access, self._executor, key)

    async def _may_be_good(self, key: str | None) -> bool:
        """Return whether a key may be valid, without looking it up."""
        if not key:
            return False
        if await self._named(key) or self._access.remembered(key):
            return True
        return await in_thread(self._executor, self._access.may_live, key)

    async def _named(self, key: str | None) -> str | None:
        """Return the source for which the policy names this key."""
        policy = await self._in_force.known()
        if not self._secrets.are_fresh(policy):
            await self._read(policy)
        return self._secrets.source_of(key) if key else None

    async def _read(self, policy: Policy) -> None:
        async with self._reading:  # concurrent requests read them once
            if not self._secrets.are_fresh(policy):
                await in_thread(self._executor, self._secrets.read, policy)

    def signing(self, source: str) -> tuple[bytes, ...]:
        """Return the secrets for signatures of `source`; empty if unreadable."""
        return self._secrets.signing(source)
