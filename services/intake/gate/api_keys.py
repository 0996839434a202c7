"""Authenticates callers by key: one named in the policy, or a token."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from hashlib import sha256
from http import HTTPStatus

from starlette.requests import Request

from services.intake.gate.brute_force import Guesses
from services.intake.gate.secrets import Secrets
from services.intake.policy.in_force import InForce
from shared.domain.policy.document import Policy
from shared.http.bearer import Verify, caller_of, require_scope
from shared.http.networks import Address
from shared.http.problem_details import HttpError
from shared.security.access import Access, Caller
from shared.security.sender import READERS

_SOURCE = "source:"


def bearer(request: Request) -> str | None:
    """Return the bearer token of a request, or None."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def caller_at(access: Access, executor: Executor, token: str | None) -> Caller:
    """Return the caller with this token; raise `HttpError` 401 if it is invalid."""

    async def blocking(verify: Verify, asked: str) -> Caller | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, verify, asked)

    return await caller_of(access, token, blocking)


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


POLICY_KEY = "policy"
"""The key id of a key named in the policy."""


def key_id_of(caller: Caller, key: str) -> str:
    """Return an id for a caller's key that does not reveal the key."""
    if caller.token_id != POLICY_KEY:
        return caller.token_id
    return _policy_key_id(sha256(key.encode(errors="replace")).digest())


def _policy_key_id(digest: bytes) -> str:
    return f"{POLICY_KEY}-{digest[:6].hex()}"


class Keys:
    """Looks up callers by their keys."""

    def __init__(
        self,
        access: Access,
        executor: Executor,
        in_force: InForce,
        secrets: Secrets,
        guesses: Guesses,
    ) -> None:
        self._access = access
        self._executor = executor
        self._in_force = in_force
        self._secrets = secrets
        self._guesses = guesses
        self._reading = asyncio.Lock()

    async def caller(
        self, key: str | None, sender: Callable[[], Address | None]
    ) -> Caller:
        """Return the caller, whatever its rights; `HttpError` 401 without a valid key.

        Raises 429 if too many wrong keys came from its address: then only keys that may
        be valid are looked up.
        """
        if self._guesses.any and (wait := self._guesses.wait(sender())):
            await self._demand_known(key, wait)
        try:
            return await self._found(key)
        except HttpError as problem:
            if problem.details.status == HTTPStatus.UNAUTHORIZED:
                self._guesses.wrong(sender())
            raise

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
        loop = asyncio.get_running_loop()
        ask = partial(self._access.has_source, actor, now=now)
        return await loop.run_in_executor(self._executor, ask)

    async def holds(self, source: str, key_id: str) -> bool:
        """Return whether the key with which a source was admitted is still valid.

        `key_id` is the id that `key_id_of` returned at that time.
        """
        policy = await self._in_force.known()
        if not self._secrets.are_fresh(policy):
            await self._read(policy)
        if key_id.startswith(POLICY_KEY):
            return key_id in map(_policy_key_id, self._secrets.digests(source))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._access.lives, key_id)

    async def _found(self, key: str | None) -> Caller:
        """Return the caller; waits for a policy, which may name the key."""
        named = await self._named(key)
        if named is not None:
            return Caller(f"source:{named}", ("source",), POLICY_KEY)
        return await caller_at(self._access, self._executor, key)

    async def _demand_known(self, key: str | None, wait: int) -> None:
        if await self._may_be_good(key):
            return
        raise HttpError(
            429,
            "too many wrong keys came from this address; nothing was recorded: mend "
            f"the key, and send it again in {wait} s",
            code="guessing",
            retry_after=wait,
        )

    async def _may_be_good(self, key: str | None) -> bool:
        """Return whether a key may be valid, without looking it up."""
        if not key:
            return False
        if await self._named(key) or self._access.remembered(key):
            return True
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._access.may_live, key)

    async def _named(self, key: str | None) -> str | None:
        """Return the source for which the policy names this key."""
        policy = await self._in_force.known()
        if not self._secrets.are_fresh(policy):
            await self._read(policy)
        return self._secrets.source_of(key) if key else None

    async def _read(self, policy: Policy) -> None:
        loop = asyncio.get_running_loop()
        async with self._reading:  # concurrent requests read them once
            if not self._secrets.are_fresh(policy):
                await loop.run_in_executor(self._executor, self._secrets.read, policy)

    def signing(self, source: str) -> tuple[bytes, ...]:
        """Return the secrets for signatures of `source`; empty if unreadable."""
        return self._secrets.signing(source)
