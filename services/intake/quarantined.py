"""How many signals wait in quarantine, for how long, and how many for a record."""

import asyncio

from shared.clock import Clock
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.observability.health import Check, Probe

COUNTED_MAX = 10_000
"""More than so many are not counted: each look would take longer than the last."""

_COUNT = """
SELECT count(*), min(received_at), count(signal_key), count(DISTINCT awaits)
FROM (SELECT received_at, signal_key, awaits FROM intake.quarantine
      WHERE state = 'waiting' ORDER BY quarantine_id LIMIT %s) AS kept
"""


def quarantine_probe(log: EventLog, clock: Clock) -> Probe:
    """Return the probe of the quarantine. It is never unready: all else goes on."""

    async def probe() -> Check:
        try:
            numbers = await asyncio.to_thread(_kept, log, clock)
        except Unavailable:  # which intake's own probe tells
            numbers = {}
        return Check("quarantine", "signals", ready=True, numbers=numbers)

    return probe


def _kept(log: EventLog, clock: Clock) -> dict[str, float]:
    with log.transaction() as cursor:
        row = cursor.execute(_COUNT, (COUNTED_MAX,)).fetchone()
    kept, oldest, postponed, unreadable = row or (0, None, 0, 0)
    age = max(0.0, (clock() - oldest).total_seconds()) if oldest else 0.0
    return {
        "kept": float(kept),
        "oldest_seconds": age,
        "postponed": float(postponed),
        "unreadable_records": float(unreadable),
    }
