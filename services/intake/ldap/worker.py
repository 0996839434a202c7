"""Synchronises people with LDAP every so often, in one elected process.

A failure changes nothing and is retried; the probe says since when and why.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial

import structlog

from services.intake.ldap.reader import LdapMisconfigured
from services.intake.ldap.session import SECONDS_MAX, LdapFailure
from services.intake.ldap.synchroniser import Synchroniser
from shared.database.election import whenever_elected
from shared.database.leadership import Candidate, Leadership, Lease
from shared.domain.commands.person import PeopleSynchronised
from shared.domain.refusal import Refused
from shared.eventlog.errors import Unavailable
from shared.http.problem_details import HttpError
from shared.http.serve import pause
from shared.observability.health import Check
from shared.observability.telemetry import Outage, reason

LEASE = Lease("intake", "people_sync")
STALL_SECONDS = SECONDS_MAX + 60.0
POLL_SECONDS = 5.0
"""How often the worker looks whether it is time."""
LEVER_POLL_SECONDS = 0.1
RETRY_SECONDS = 300.0
"""How long it waits after a failure, unless it is configured to come sooner."""
UNSET_SECONDS = 60.0
"""How often it looks whether it is configured to synchronise by itself."""

_log = structlog.get_logger(__name__)


def people_sync_candidate(
    dsn: str, may_write: Callable[[], bool] = lambda: True
) -> Candidate:
    """Return a candidate for the lease of the synchronisation."""
    return Candidate(dsn, LEASE, STALL_SECONDS, may_write)


class LdapWorker:
    """Synchronises whenever it is time, while elected."""

    def __init__(
        self,
        candidate: Candidate,
        synchroniser: Synchroniser,
        *,
        on_lever: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._candidate = candidate
        self._synchroniser = synchroniser
        self._poll = LEVER_POLL_SECONDS if on_lever else POLL_SECONDS
        self._monotonic = monotonic
        self._next_at = float("-inf")
        self._leads = False
        self._done: PeopleSynchronised | None = None
        self._done_at = monotonic()
        self._why: str | None = None
        self._outage = Outage("ldap", "nobody was changed; trying again")
        self._standing = Outage("people_sync", "trying again")

    async def run(self, stop: asyncio.Event) -> None:
        """Work whenever elected, until `stop` is set; does not return earlier."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._synchroniser.run(stop))
            await self._work(stop)

    async def _work(self, stop: asyncio.Event) -> None:
        lead = partial(self._lead, stop)
        await whenever_elected(
            self._candidate, lead, self._step_down, self._standing, stop
        )

    async def _lead(self, stop: asyncio.Event, seat: Leadership) -> None:
        self._leads, self._next_at, self._why = True, float("-inf"), None
        while not stop.is_set():
            seat.prove()
            if self._monotonic() >= self._next_at:
                wait = await self.round(seat)
                self._next_at = self._monotonic() + wait
            await pause(stop, self._poll)

    async def _step_down(self) -> None:
        self._leads, self._why = False, None  # who leads now says how it goes

    async def round(self, seat: Leadership) -> float:
        """Synchronise once if it is configured; return when to look again."""
        wait = RETRY_SECONDS
        try:
            reader = self._synchroniser.reader
            every = (await asyncio.to_thread(reader.document)).every
            if every is None:
                self._why = None
                return UNSET_SECONDS
            wait = min(wait, every.total_seconds())
            done = await self._synchroniser.synchronise(seat.demand)
        except (LdapFailure, LdapMisconfigured, Refused, HttpError) as error:
            self._why = reason(error).partition(": ")[2]
            self._outage.away(error)
            return wait
        except Unavailable as error:
            self._why = "PostgreSQL is away"
            self._outage.away(error)
            return self._poll
        self._outage.back()
        self._why, self._done, self._done_at = None, done, self._monotonic()
        _log.info("ldap.synchronised", **_counts(done))
        return every.total_seconds()

    async def probe(self) -> Check:
        """Return how the last run went; intake is ready without LDAP."""
        numbers = {"leads": float(self._leads), "failed": float(self._why is not None)}
        if self._done is not None:
            age = self._monotonic() - self._done_at
            numbers |= {"age_seconds": age, **_counts(self._done)}
        alarm = self._why or ""
        return Check("ldap", "people", ready=True, numbers=numbers, alarm=alarm)


def _counts(done: PeopleSynchronised) -> dict[str, float]:
    """Return numbers only: names of entries belong in no log."""
    return {
        "added": float(done.added),
        "changed": float(done.changed),
        "removed": float(done.removed),
        "unchanged": float(done.unchanged),
        "left_out": float(len(done.left_out)),
    }
