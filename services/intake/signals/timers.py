"""Submits alerts for which something is due by time alone.

They go through the same batches as signals, under the same locks. Several processes may
do this concurrently: processing is idempotent.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import structlog

from services.intake.policy.store import Policies
from services.intake.signals.schemas import TIMER, Delivery, Result, TimePassed
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.eventlog.batcher import Batcher
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.http.rounds import in_rounds

AT_ONCE_MAX = 400
"""Alerts submitted in one round."""
PIECE = 100
"""Alerts in one delivery."""
RELEASED_AT_ONCE_MAX = 10_000
"""Alerts examined again when the maintenance windows have changed."""
REASONS_MAX = 5
"""Reasons logged for what was postponed in one round."""
LOOK_SECONDS = 1.0
"""Longest interval between checks: another process may have made something due."""

_DUE = """
SELECT source, signal_key, due_at FROM intake.signal_keys
WHERE due_at <= %s AND (due_at, signal_key) > (%s, %s)
ORDER BY due_at, signal_key LIMIT %s
"""
_BEGIN = (datetime.min.replace(tzinfo=UTC), "")
_NEXT = "SELECT min(due_at) FROM intake.signal_keys WHERE due_at > %s"
_IN_MAINTENANCE = """
SELECT source, signal_key FROM intake.signal_keys
WHERE held IS NOT NULL AND life ->> 'waits' = 'maintenance'
ORDER BY signal_key LIMIT %s
"""

_log = structlog.get_logger(__name__)
Due = tuple[str, str]
"""Source and key."""


class Timers:
    """Checks in rounds what is due."""

    def __init__(
        self,
        log: EventLog,
        policies: Policies,
        clock: Clock,
        signals: Batcher[Delivery, list[Result]],
    ) -> None:
        self._log = log
        self._policies = policies
        self._clock = clock
        self._signals = signals
        self._windows: object = None
        self._after = _BEGIN

    async def run(self, stop: asyncio.Event) -> None:
        """Submit what is due until `stop` is set. Never raises."""
        failed = "timers.failed"
        await in_rounds(self._round, stop, LOOK_SECONDS, _log, failed, self._clock)

    async def _round(self) -> float | None:
        with suppress(HttpError):
            return await self.round()
        return None

    async def round(self) -> float:
        """Submit what is due now; return the seconds until something else is due.

        What cannot be processed yet stays due, and is skipped until all that is due was
        tried.
        """
        now = self._clock()
        due, upcoming = await asyncio.to_thread(self._look, now)
        done = await self._hand_over(due, now)
        if due and (done or self._after != _BEGIN):
            return 0.0
        if upcoming is None:
            return LOOK_SECONDS
        return min(LOOK_SECONDS, max(0.0, (upcoming - now).total_seconds()))

    async def _hand_over(self, due: Iterable[Due], now: datetime) -> bool:
        """Submit it, and return whether all of it was processed."""
        deliveries = [
            Delivery(
                source,
                TIMER,
                b"",
                0,
                tuple(
                    TimePassed(key, source) for _, key in keys[first : first + PIECE]
                ),
                now,
            )
            for source, group in groupby(sorted(due), key=itemgetter(0))
            for keys in [list(group)]
            for first in range(0, len(keys), PIECE)
        ]
        answers = await asyncio.gather(
            *map(self._signals.submit, deliveries), return_exceptions=True
        )
        failed = [each for each in answers if isinstance(each, BaseException)]
        put_off = {str(error) for error in failed} | {
            result.error
            for answer in answers
            if not isinstance(answer, BaseException)
            for result in answer
            if result.error
        }
        for why in sorted(put_off)[:REASONS_MAX]:
            _log.warning("timers.put_off", why=why)
        return not put_off

    def _look(self, now: datetime) -> tuple[list[Due], datetime | None]:
        with self._log.transaction() as cursor:
            asked = (now, *self._after, AT_ONCE_MAX)
            page = cursor.execute(_DUE, asked).fetchall()
            last = page[-1] if len(page) == AT_ONCE_MAX else None
            self._after = (last[2], last[1]) if last else _BEGIN
            due = [(source, key) for source, key, _ in page]
            due += self._set_free(cursor)
            row = cursor.execute(_NEXT, (now,)).fetchone()
        return [(source, key) for source, key in due], row[0] if row else None

    def _set_free(self, cursor: Cursors) -> list[Any]:
        """Return the alerts held by maintenance, if the windows have changed."""
        _, _, windows = self._policies.with_windows(cursor)
        if windows is self._windows:
            return []
        self._windows = windows
        return cursor.execute(_IN_MAINTENANCE, (RELEASED_AT_ONCE_MAX,)).fetchall()
