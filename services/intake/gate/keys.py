"""Whose key it is: one the policy names, or a token that was made."""

import asyncio
from concurrent.futures import Executor

from services.intake.callers import caller_at
from services.intake.gate.secrets import Secrets
from services.intake.in_force import InForce
from shared.access import Access, Caller
from shared.policy.document import Policy

POLICY_KEY = "policy"
"""The id of the key that the policy names."""


class Keys:
    """Tells callers by their keys."""

    def __init__(
        self, access: Access, executor: Executor, in_force: InForce, secrets: Secrets
    ) -> None:
        self._access = access
        self._executor = executor
        self._in_force = in_force
        self._secrets = secrets
        self._reading = asyncio.Lock()

    async def caller(self, key: str | None) -> Caller:
        """Return the caller, whatever it may do; `Problem` 401 where there is none.

        Waits until a policy is known: it says what else a source has to show.
        """
        policy = await self._in_force.known()
        if not self._secrets.are_fresh(policy):
            await self._read(policy)
        named = self._secrets.source_of(key) if key else None
        if named is not None:
            return Caller(f"source:{named}", ("source",), POLICY_KEY)
        return await caller_at(self._access, self._executor, key)

    async def _read(self, policy: Policy) -> None:
        loop = asyncio.get_running_loop()
        async with self._reading:  # a crowd reads them once
            if not self._secrets.are_fresh(policy):
                await loop.run_in_executor(self._executor, self._secrets.read, policy)

    def signing(self, source: str) -> tuple[bytes, ...]:
        """Return what the bodies of `source` may be signed with; none: unreadable."""
        return self._secrets.signing(source)
