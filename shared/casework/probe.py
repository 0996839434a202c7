"""How many timers are armed, and how late the oldest of them is."""

import asyncio
from datetime import datetime
from typing import Any

from shared.casework.cases import armed, next_due
from shared.casework.worker import Worker
from shared.clock import Clock
from shared.event_log import EventLog
from shared.health import Check, Probe
from shared.log_errors import Unavailable, why_away

OVERDUE_SECONDS_MAX = 30.0
"""How late a timer may be before the service is not ready."""


def timers_probe(
    name: str, worker: Worker[Any, Any], log: EventLog, clock: Clock
) -> Probe:
    """Return the probe of the timers of a service; ready while none is long overdue."""

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
