"""Whether intake can record: the log answers, and not too much waits for it."""

import asyncio
from typing import Any

from shared.batcher import Batcher
from shared.event_log import EventLog, Unavailable
from shared.health import Check, Probe


def waiting_probe(
    log: EventLog, signals: Batcher[Any, Any], commands: Batcher[Any, Any]
) -> Probe:
    """Return the probe of intake's own work."""

    async def probe() -> Check:
        numbers = {
            "signals_waiting": float(signals.waiting),
            "commands_waiting": float(commands.waiting),
        }
        try:
            head = await asyncio.to_thread(log.head)
        except Unavailable:
            why = {"why": "PostgreSQL is away"}
            return Check("intake", "recording", False, why, numbers)
        numbers["log_head"] = float(head.position)
        return Check("intake", "recording", ready=True, numbers=numbers)

    return probe
