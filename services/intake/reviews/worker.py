"""Warns of reviews and actions that are overdue.

A warning follows from the log and the clock, and is recorded once for each owner and
due date: who looks again, or at the same time, finds it in the stream of the review.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

import structlog

from services.intake.attempts import append, decided
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.domain.events.review import ReviewWarned
from shared.domain.identifiers import review_stream, reviewed_incident
from shared.domain.review.state import Review
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.http.rounds import each_in_turn, in_rounds
from shared.reviews import review_of

LOOK_SECONDS = 60
ACTOR = "system:intake"
_log = structlog.get_logger(__name__)

# What becomes overdue is named by the events that open or assign it. Those of which was
# warned since are left out, unless they have a newer due date.
_DUE = """
SELECT DISTINCT due.originator_id FROM log.events AS due
WHERE due.topic IN ('review.opened', 'review.action_opened', 'review.action_assigned')
    AND log.said_at(due.state, 'due_at') <= %(now)s
    AND NOT EXISTS (
        SELECT FROM log.events AS over
        WHERE over.originator_id = due.originator_id
            AND over.originator_version > due.originator_version
            AND CASE due.topic
                WHEN 'review.opened'
                THEN over.topic IN ('review.published', 'review.warned')
                    AND log.document(over.state) IS NOT NULL
                    AND log.said(over.state, 'action') IS NULL
                ELSE over.topic IN ('review.action_done', 'review.action_dropped',
                        'review.action_assigned', 'review.warned')
                    AND log.said(over.state, 'action') = log.said(due.state, 'action')
            END)
ORDER BY due.originator_id
"""


class ReviewWarnings:
    """Looks for what is overdue, in rounds."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop` is set. Never raises."""
        failed = "review.warnings_failed"
        await in_rounds(self._round, stop, LOOK_SECONDS, _log, failed, self._clock)

    async def _round(self) -> None:
        await asyncio.to_thread(self.look)

    def look(self) -> int:
        """Record the warnings that are due; return how many. Blocks."""
        with self._log.transaction() as cursor:
            given = {"now": self._clock()}
            streams = [row[0] for row in cursor.execute(_DUE, given).fetchall()]
        return each_in_turn(
            [reviewed_incident(stream) for stream in streams],
            lambda ref: decided(self._log, partial(self._warn, ref)),
        )

    def _warn(self, ref: str, cursor: Cursors) -> int:
        held, version = review_of(self._log, cursor, ref)
        happened = warnings(held, self._clock()) if held else ()
        if not happened:
            return 0
        stored = tuple(
            self._log.stored(review_stream(ref), number, event)
            for number, event in enumerate(happened, version + 1)
        )
        append(self._log, cursor, AppendUnit(stored))
        return len(happened)


def warnings(held: Review, now: datetime) -> Sequence[ReviewWarned]:
    """Return what is to be warned of that was not warned of before. Pure."""
    return [
        event
        for event in _overdue(held, now)
        if (event.kind, event.action, event.owner, event.due_at) not in held.warnings
    ]


def _overdue(held: Review, now: datetime) -> Iterator[ReviewWarned]:
    if held.is_overdue(now):
        yield ReviewWarned(
            at=now,
            by=ACTOR,
            incident=held.incident,
            kind="review_overdue",
            owner=held.owner,
            due_at=held.due_at,
        )
    for action in held.actions.values():
        if action.is_overdue(now):
            yield ReviewWarned(
                at=now,
                by=ACTOR,
                incident=held.incident,
                kind="action_overdue",
                action=action.number,
                owner=action.owner,
                due_at=action.due_at,
            )
