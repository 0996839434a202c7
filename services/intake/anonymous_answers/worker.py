"""Appends anonymous answers, once there are enough of earlier days, in rounds.

The answers leave the pool in the transaction in which they are appended, so a process
that dies in between neither loses one nor appends it twice.
"""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from services.intake.anonymous_answers.rules import SHUFFLE, Shuffle, next_batch
from services.intake.anonymous_answers.store import (
    lock_pool,
    rewrite_marks,
    surveys_with_pools,
    write_pool,
)
from services.intake.attempts import append, decided
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.domain.identifiers import survey_answers_stream
from shared.domain.policy.surveys import MIN_ANSWERS
from shared.domain.survey.periods import day_begins
from shared.eventlog.append import GROUP_BYTES_MAX, AppendUnit
from shared.eventlog.log import EventLog
from shared.eventlog.policies import policy_now
from shared.eventlog.recorder import PendingEvent, versions
from shared.http.rounds import each_in_turn, in_rounds

LOOK_SECONDS = 60
_log = structlog.get_logger(__name__)


class AnonymousAnswers:
    """Looks at the pools of anonymous surveys, in rounds."""

    def __init__(
        self,
        log: EventLog,
        clock: Clock,
        shuffle: Shuffle = SHUFFLE,
    ) -> None:
        self._log = log
        self._clock = clock
        self._shuffle = shuffle

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop` is set. Never raises."""
        failed = "survey.answers_failed"
        await in_rounds(self._round, stop, LOOK_SECONDS, _log, failed, self._clock)

    async def _round(self) -> None:
        await asyncio.to_thread(self.look)

    def look(self) -> int:
        """Append the answers that are enough; return how many events. Blocks."""
        with self._log.transaction() as cursor:
            names = surveys_with_pools(cursor)
        return each_in_turn(names, self._all_of)

    def _all_of(self, name: str) -> int:
        found = 0
        while released := decided(self._log, partial(self._release, name)):
            found += released
        return found

    def _release(self, name: str, cursor: Cursors) -> int:
        pool = lock_pool(self._log, cursor, name)
        policy = policy_now(self._log, cursor)
        if policy is None or not (pool.answers or pool.comments):
            return 0
        now, zone = self._clock(), ZoneInfo(policy.desk.timezone)
        today = now.astimezone(zone).date()
        survey = policy.surveys.get(name)
        least = max(MIN_ANSWERS, survey.min_answers if survey else 0)
        day = (today, day_begins(today, zone))
        batch = next_batch(name, pool, day, least, self._shuffle)
        if batch is None:
            return 0
        write_pool(self._log, cursor, name, batch.rest)
        rewrite_marks(cursor, name, now)
        stream = survey_answers_stream(name)
        version = versions(cursor, [stream])[stream]
        events = [
            self._log.stored(stream, number, event)
            for number, event in enumerate(batch.events, version + 1)
        ]
        for unit in _units(events):
            append(self._log, cursor, unit)
        return len(events)


def _units(events: Sequence[PendingEvent]) -> Iterator[AppendUnit]:
    """Divide events into units of the size that is appended at once."""
    unit, size = list[PendingEvent](), 0
    for event in events:
        if unit and size + len(event.state) > GROUP_BYTES_MAX:
            yield AppendUnit(tuple(unit))
            unit, size = [], 0
        unit.append(event)
        size += len(event.state)
    yield AppendUnit(tuple(unit))
