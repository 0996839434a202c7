"""How many escalations nobody accepted: what operators are alarmed of."""

import asyncio
from dataclasses import dataclass

from shared.eventlog.errors import Unavailable, why_away
from shared.eventlog.log import EventLog
from shared.observability.health import Check

# As the index `cases_exhausted`: a count that reads nothing else.
_COUNT = """
SELECT count(*) FROM escalation.cases
WHERE state->'post'->>'exhausted_at' IS NOT NULL
  AND state->'post'->>'accepted_by' IS NULL
  AND state->>'stage' = 'at_work' AND state->>'restored_at' IS NULL
"""


@dataclass(frozen=True, eq=False)
class ExhaustionProbe:
    """Always ready: an escalation without an answer is not a fault of the service."""

    log: EventLog

    async def __call__(self) -> Check:
        """Return how many exhausted escalations wait for somebody."""
        try:
            count = await asyncio.to_thread(self._count)
        except Unavailable as error:
            words = {"why": why_away(error)}
            return Check("escalations", "escalation", False, words)
        return Check("escalations", "escalation", True, {}, {"exhausted": count})

    def _count(self) -> float:
        with self.log.transaction() as cursor:
            row = cursor.execute(_COUNT).fetchone()
        return float(row[0]) if row else 0.0
