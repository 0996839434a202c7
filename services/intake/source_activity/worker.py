"""Writes the activity of sources every few seconds, and reads the shared quotas."""

import asyncio

import structlog

from services.intake.gate.admission import Admission
from services.intake.policy.in_force import InForce
from services.intake.signals.timers import failing_alone
from services.intake.source_activity.store import used_on, write
from services.intake.source_activity.tally import Tally
from shared.clock import Clock
from shared.eventlog.log import EventLog
from shared.http.serve import pause

WRITE_SECONDS = 5.0
"""A killed process loses this much of the counts, but never signals."""

_log = structlog.get_logger(__name__)


class ActivityWriter:
    """Keeps the tables of source activity up to date."""

    def __init__(
        self,
        log: EventLog,
        tally: Tally,
        admission: Admission,
        in_force: InForce,
        clock: Clock,
    ) -> None:
        self._log = log
        self._tally = tally
        self._admission = admission
        self._in_force = in_force
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Write until `stop` is set, and once more then. Never raises."""
        while not stop.is_set():
            await self._round()
            await pause(stop, WRITE_SECONDS)
        await self._round()

    async def _round(self) -> None:
        with failing_alone(_log, "activity.failed"):
            await asyncio.to_thread(self.keep)

    def keep(self) -> None:
        """Write the counts, and read how much of each quota is used; blocks."""
        account, now = self._tally.take(), self._clock()
        counted = self._admission.with_quota(self._in_force.sources())
        if not (account.counts or account.used or counted):
            return
        try:
            with self._log.transaction() as cursor:
                write(cursor, account)
                used = used_on(cursor, now.date(), counted) if counted else {}
        except BaseException:
            self._tally.give_back(account)
            raise
        for source, number in used.items():
            self._admission.recall(source, now.date(), number)
