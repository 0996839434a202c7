"""The policy for use at the endpoints, cached and at most a second old.

Decisions use the policy of their own transaction; this one is for what must be known
before: the format and the limits of a source.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from services.intake.policy.store import Policies
from shared.domain.policy.document import Policy
from shared.domain.policy.sources import Mailbox, Source
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.http.serve import pause

LOOK_SECONDS = 1.0


class InForce:
    """Caches the newest policy for code that must not block."""

    def __init__(self, log: EventLog, policies: Policies) -> None:
        self._log = log
        self._policies = policies
        self._newest: tuple[int, Policy] | None = None
        self._looking = asyncio.Lock()

    def source(self, name: str) -> Source | None:
        """Return the policy entry of a source, or None if it has none."""
        return self._newest[1].sources.get(name) if self._newest else None

    def sources(self) -> list[str]:
        """Return the names of all sources in the policy."""
        return list(self._newest[1].sources) if self._newest else []

    def newest(self) -> tuple[int, Policy] | None:
        """Return version and policy, or None before the first one was read."""
        return self._newest

    async def known(self) -> Policy:
        """Return the policy, reading it if that was never done.

        Raises `Unavailable`, or `HttpError` 503 if none was ever applied.
        """
        if self._newest is None:
            async with self._looking:  # concurrent requests read it once
                if self._newest is None:
                    await asyncio.to_thread(self.look)
        assert self._newest is not None  # noqa: S101 # else `look` has raised
        return self._newest[1]

    def mailboxes(self) -> Mapping[str, Mailbox]:
        """Return all mailboxes by the names of their sources."""
        sources = self._newest[1].sources if self._newest else {}
        return {n: one for n, one in sources.items() if isinstance(one, Mailbox)}

    def look(self) -> None:
        """Read the policy in force; blocks. Raises if none was applied yet."""
        with self._log.transaction() as cursor:
            self._newest = self._policies.current(cursor)

    async def keep(self, stop: asyncio.Event) -> None:
        """Refresh the policy until `stop` is set; the old one is kept on errors."""
        while not stop.is_set():
            with suppress(Unavailable, HttpError):  # requests get the same error
                await asyncio.to_thread(self.look)
            await pause(stop, LOOK_SECONDS)
