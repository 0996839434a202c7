"""Opens an incident of the desk itself while inbound mails are held.

Otherwise nobody would notice held mails, and one may be urgent. The ids of its signals
are derived from the mails, so several processes may watch concurrently.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import structlog

from services.intake.signals.reception import Reception
from shared.clock import Clock
from shared.eventlog.log import EventLog
from shared.http.rounds import in_rounds
from shared.observability.health import Check

SOURCE = "letters"
"""The source name of these signals, which the desk itself sends."""
LOOK_SECONDS = 5.0
COUNTED_MAX = 1_000
"""Upper limit of the count: counting more would take longer each time."""

NEWS = timedelta(days=1)
"""A process that starts does not report mails held for longer than this."""

_HELD = """
SELECT count(*), coalesce(max(letter_id), 0),
       coalesce(max(letter_id) FILTER (WHERE received_at <= %s), 0)
FROM (
    SELECT letter_id, received_at FROM intake.letters WHERE verdict = 'held'
    ORDER BY letter_id DESC LIMIT %s
) AS held
"""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HeldMail:
    """The number of held mails; ids of the newest, and of the newest old one."""

    count: int = 0
    newest: int = 0
    newest_old: int = 0


class HeldWatch:
    """Watches held mails; several processes may do so concurrently."""

    def __init__(self, log: EventLog, reception: Reception, clock: Clock) -> None:
        self._log = log
        self._reception = reception
        self._clock = clock
        self._told = HeldMail()
        self._held = HeldMail()

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set. Never raises."""
        await in_rounds(self.round, stop, LOOK_SECONDS, _log, "held_letters.failed")

    async def probe(self) -> Check:
        """Report how many mails are held; always ready."""
        numbers = {"held": float(self._held.count)}
        return Check("letters", "held", ready=True, numbers=numbers)

    async def round(self) -> None:
        """Report mails held since the last round, or that none are held any more."""
        self._held = held = await asyncio.to_thread(self._look)
        if held.newest > max(self._told.newest, held.newest_old):
            await self._tell(_waiting(held))
        elif self._told.count and not held.count:
            await self._tell(_settled(self._told))
        self._told = HeldMail(held.count, max(held.newest, self._told.newest))

    def _look(self) -> HeldMail:
        with self._log.transaction() as cursor:
            asked = (self._clock() - NEWS, COUNTED_MAX)
            row = cursor.execute(_HELD, asked).fetchone()
        return HeldMail(*row) if row else HeldMail()

    async def _tell(self, event: dict[str, Any]) -> None:
        body = orjson.dumps(event)
        (result,) = await self._reception.receive(SOURCE, "native", body, event)
        _log.info("held_letters.told", status=result.status, incident=result.incident)


def _waiting(held: HeldMail) -> dict[str, Any]:
    return {
        "event_id": f"{SOURCE}/held/{held.newest}",
        "dedup_key": f"{SOURCE}:held",
        "action": "trigger",
        "title": "Letters are held: somebody has to read them",
        "severity": "warning",
        "details": {
            "why": "more came in one person's name than one person writes in an hour",
            "see": "GET /v1/letters?verdict=held, or "
            "`permanence quarantine list --letters`",
            "take": "`permanence quarantine retry LETTER` takes one all the same",
        },
    }


def _settled(told: HeldMail) -> dict[str, Any]:
    return {
        "event_id": f"{SOURCE}/settled/{told.newest}",
        "dedup_key": f"{SOURCE}:held",
        "action": "resolve",
        "title": "No letter is held any more",
        "severity": "warning",
    }
