"""The policy as the doors see it: what it says of sources, at most a second old.

What is decided is decided under the policy of its transaction; this is for what must be
known before: how a source's documents are read, how much it may send.
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
    """Holds the newest policy for whoever may not block."""

    def __init__(self, log: EventLog, policies: Policies) -> None:
        self._log = log
        self._policies = policies
        self._newest: tuple[int, Policy] | None = None
        self._looking = asyncio.Lock()

    def source(self, name: str) -> Source | None:
        """Return what the policy says of a source, None where it does not name it."""
        return self._newest[1].sources.get(name) if self._newest else None

    def sources(self) -> list[str]:
        """Return the names of all sources in the policy."""
        return list(self._newest[1].sources) if self._newest else []

    def newest(self) -> tuple[int, Policy] | None:
        """Return the policy and its version, None before one was read."""
        return self._newest

    async def known(self) -> Policy:
        """Return the policy, reading it where that was never done.

        Raises `Unavailable`, or `HttpError` 503 where none was ever applied.
        """
        if self._newest is None:
            async with self._looking:  # a crowd at the start looks once
                if self._newest is None:
                    await asyncio.to_thread(self.look)
        assert self._newest is not None  # noqa: S101 # else `look` has raised
        return self._newest[1]

    def mailboxes(self) -> Mapping[str, Mailbox]:
        """Return the mailboxes there are, by the names of their sources."""
        sources = self._newest[1].sources if self._newest else {}
        return {n: one for n, one in sources.items() if isinstance(one, Mailbox)}

    def look(self) -> None:
        """Read the policy in force; blocks. None is known until one was applied."""
        with self._log.transaction() as cursor:
            self._newest = self._policies.current(cursor)

    async def keep(self, stop: asyncio.Event) -> None:
        """Look again and again until `stop` is set; what was known stays meanwhile."""
        while not stop.is_set():
            with suppress(Unavailable, HttpError):  # with which signals are answered
                await asyncio.to_thread(self.look)
            await pause(stop, LOOK_SECONDS)
