"""Wakes a service at the instant at which something is due, and probes its timers.

The probe reports how many timers are armed, and how late the oldest of them is.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import Any

import structlog

from shared.clock import Clock, setting_of
from shared.eventlog.errors import Unavailable, why_away
from shared.eventlog.log import EventLog
from shared.http.rounds import rest_on
from shared.http.serve import pause
from shared.observability.health import Check, Probe
from shared.observability.telemetry import Outage
from shared.process_manager.case_store import armed, next_due
from shared.process_manager.worker import Worker

LOOK_SECONDS = 1.0
"""The longest sleep: another process may have set an earlier instant."""
GATHER_SECONDS = 0.05
"""How long changes are gathered: a change is looked at up to this much later."""
HELD_SECONDS = 0.02
"""How long to wait if all due cases are locked by another process."""
RETRY_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Alarm:
    """Runs `worker.wake` whenever a case is due; several may run at once."""

    def __init__(self, worker: Worker[Any, Any], clock: Clock) -> None:
        self._worker = worker
        self._clock = clock
        self._changed = asyncio.Event()
        self._outage = Outage("log", "timers go on when PostgreSQL is back")

    def listen(self) -> Callable[[], object]:
        """Return the function that any thread calls when a case may be due earlier."""
        loop = asyncio.get_running_loop()
        return lambda: loop.call_soon_threadsafe(self._changed.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Wake the worker until `stop` is set. Never raises."""
        stopped = asyncio.create_task(stop.wait())
        stopped.add_done_callback(lambda _: self._changed.set())
        while not stop.is_set():
            self._changed.clear()
            before = setting_of(self._clock)
            try:
                wait = await asyncio.to_thread(self._round)
                self._outage.back()
            except Unavailable as error:
                self._outage.away(error)
                wait = RETRY_SECONDS
            except Exception:  # noqa: BLE001 # it looks again; the probe tells how late
                _log.exception("timers.failed", schema=self._worker.schema)
                wait = RETRY_SECONDS
            if wait > 0:
                end = monotonic() + wait
                await rest_on(self._clock, before, self._changed, wait)
                if before is None and self._changed.is_set():
                    # Many events need one look, but what is due next is not held up.
                    await pause(stop, min(GATHER_SECONDS, max(0, end - monotonic())))
        await stopped

    def _round(self) -> float:
        """Decide what is due; return how many seconds to sleep."""
        next_at = self._worker.next_at()
        if next_at is None:
            return LOOK_SECONDS
        ahead = (next_at - self._clock()).total_seconds()
        if ahead > 0:
            return min(ahead, LOOK_SECONDS)
        return 0.0 if self._worker.wake().due else HELD_SECONDS


OVERDUE_SECONDS_MAX = 30.0
"""How late a timer may be while the service is ready."""


def timers_probe(
    name: str, worker: Worker[Any, Any], log: EventLog, clock: Clock
) -> Probe:
    """Return the probe of a service's timers; ready while none is long overdue."""

    def look() -> tuple[int, datetime | None]:
        with log.transaction() as cursor:
            return armed(cursor, worker.schema), next_due(cursor, worker.schema)

    async def probe() -> Check:
        numbers = {
            "fired_total": float(worker.fired_total),
            "stuck_total": float(worker.stuck_total),
        }
        try:
            count, next_at = await asyncio.to_thread(look)
        except Unavailable as error:
            words = {"why": why_away(error)}
            return Check("timers", name, ready=False, words=words, numbers=numbers)
        late = (clock() - next_at).total_seconds() if next_at else 0.0
        overdue = max(0.0, late)
        numbers |= {"armed": float(count), "overdue_seconds": overdue}
        ready = overdue <= OVERDUE_SECONDS_MAX
        words = {} if ready else {"why": f"a timer is {overdue:.0f} s overdue"}
        return Check("timers", name, ready, words, numbers)

    return probe
