"""Whether intake can record: the log takes events, and not too much waits for it."""

import asyncio
from typing import Any

from services.intake.commits import Commits
from shared.eventlog.batcher import Batcher
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.observability.health import Check, Probe


def waiting_probe(
    log: EventLog,
    commits: Commits,
    signals: Batcher[Any, Any],
    commands: Batcher[Any, Any],
) -> Probe:
    """Return the probe of intake's own work."""

    async def probe() -> Check:
        numbers = {
            "signals_waiting": float(signals.waiting),
            "commands_waiting": float(commands.waiting),
            "commits_failed_total": float(commits.failed_total),
        }
        try:
            head = await asyncio.to_thread(log.head)
        except Unavailable:
            return _unready("PostgreSQL is away", numbers)
        numbers["log_head"] = float(head.position)
        try:
            await asyncio.to_thread(commits.prove)
        except Unavailable as error:
            return _unready(f"PostgreSQL takes no event: {error}", numbers)
        return Check("intake", "recording", ready=True, numbers=numbers)

    return probe


def _unready(why: str, numbers: dict[str, float]) -> Check:
    return Check("intake", "recording", False, {"why": why}, numbers)
