"""The tokens and sessions of open streams, and which of them have ended.

That is read for all of them together: a thousand listeners who each ask every few
seconds whether they are still admitted would keep the database and a core busy.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from services.projections.api.limits import STREAM_LOOK_SECONDS
from shared.clock import Clock
from shared.eventlog.log import EventLog
from shared.security.access import Caller, valid_among
from shared.threads import in_thread


def credential_id(caller: Caller) -> str:
    """Return the id of a caller's session, or of their token."""
    return caller.session_id or caller.token_id


class OpenCredentials:
    """The credentials with which streams are open."""

    def __init__(self, log: EventLog, threads: Executor, clock: Clock) -> None:
        self._log = log
        self._threads = threads
        self._clock = clock
        self._streams: Counter[str] = Counter()
        self._looked_at = float("-inf")
        self.ended: frozenset[str] = frozenset()
        """Those that have ended, by their ids."""

    @contextmanager
    def held(self, id_: str) -> Iterator[None]:
        """Register a stream that was opened with this token or session."""
        self._streams[id_] += 1
        try:
            yield
        finally:
            self._streams[id_] -= 1
            if not self._streams[id_]:
                del self._streams[id_]

    async def look(self) -> bool:
        """Read which have ended if that is due; return whether there are new ones.

        Raises `Unavailable`.
        """
        loop = asyncio.get_running_loop()
        if loop.time() - self._looked_at < STREAM_LOOK_SECONDS:
            return False
        self._looked_at = loop.time()
        held = frozenset(self._streams)
        valid = await in_thread(self._threads, self._living, held)
        before, self.ended = self.ended, held - valid
        return bool(self.ended - before)

    def _living(self, ids: frozenset[str]) -> frozenset[str]:
        with self._log.transaction() as cursor:
            return valid_among(cursor, ids, self._clock())
