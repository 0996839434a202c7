"""One notification on its way: put into words, noted as sent, handed over, noted again.

Between handing over and noting that, the process may die: then the same leaves again,
with the same key. At least once, and we say so.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from itertools import count
from typing import TypeVar

import structlog

from services.escalation import outbox
from services.escalation.case import Case
from services.escalation.channels.outcome import Delivered, Failed, Outcome
from services.escalation.channels.retry import next_attempt
from services.escalation.due import BY
from services.escalation.known import Known
from services.escalation.outbox import Waiting
from services.escalation.outlets import Outlets, Parcel
from services.escalation.streams import owns
from shared.clock import Clock
from shared.database.leadership import Leadership
from shared.domain.events.notification import (
    NotificationConfirmed,
    NotificationFailed,
    NotificationSent,
)
from shared.eventlog.errors import StaleVersion, Unavailable, away, is_unavailable
from shared.eventlog.log import EventLog
from shared.process_manager import Worker
from shared.process_manager.worker import CaseBehindLog, require_read, settle

AGAIN_SECONDS = 0.1
"""How long to wait where the log is away or the incident is not read to its end."""

ATTEMPTS_MAX = 50
"""How often what is not read to its end is looked at before it rests."""

_Done = TypeVar("_Done")
_log = structlog.get_logger(__name__)


class Postman:
    """Takes notifications where they go; `compose` puts one into words, and blocks."""

    def __init__(
        self,
        log: EventLog,
        worker: Worker[Case, Known],
        clock: Clock,
        compose: Callable[[Waiting], Parcel | Failed],
        outlets: Outlets,
        executor: Executor,
    ) -> None:
        self._log = log
        self._worker = worker
        self._clock = clock
        self._compose = compose
        self._outlets = outlets
        self._executor = executor
        self.confirmed_total = 0
        self.failed_total = 0
        self.withheld_total = 0

    async def deliver(self, waiting: Waiting, seat: Leadership) -> None:
        """Take one as far as it goes now. Cancel it where the process has to end.

        Raises `LeaseLost` where `seat` no longer has the lease of the outbox.
        """
        parcel: Parcel | Failed | None = self._outlets.closed_to(waiting.channel)
        if parcel is None:
            parcel = await self._until_there(lambda: self._composed(waiting))
        if isinstance(parcel, Failed):
            outcome: Outcome = parcel
        elif await self._until_there(lambda: self._begin(waiting, seat)):
            seat.check()  # it may have been frozen since the transaction
            incident, now = waiting.incident, self._clock()
            outcome = await self._outlets.send(parcel, incident, now)
        else:
            return
        await self._until_there(lambda: self._finish(waiting, outcome, seat))

    async def _until_there(self, work: Callable[[], _Done]) -> _Done:
        """Do a piece of work, again while the log is away, or the reader behind it.

        Raises `CaseBehindLog` or `StaleVersion` where that does not end.
        """
        loop = asyncio.get_running_loop()
        for attempt in count(1):
            try:
                return await loop.run_in_executor(self._executor, work)
            except Unavailable:
                await asyncio.sleep(AGAIN_SECONDS)
            except (StaleVersion, CaseBehindLog):
                if attempt >= ATTEMPTS_MAX:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)
        raise AssertionError("counting does not end")

    def _composed(self, waiting: Waiting) -> Parcel | Failed:
        try:
            return self._compose(waiting)
        except Exception as error:
            if is_unavailable(error):
                raise away(error) from error
            _log.exception("notification.wordless", key=waiting.key)
            why = f"it could not be put into words ({type(error).__name__})"
            return Failed(why, permanent=False)

    def _begin(self, waiting: Waiting, seat: Leadership) -> bool:
        """Note that it is handed over; tell whether it still is to be."""
        with self._log.transaction() as cursor:
            seat.demand(cursor)
            self._log.look(cursor)  # of what is tried again nothing is appended
            held = outbox.held(cursor, waiting.key)
            if held is None:
                return False
            desk = self._worker.desk(cursor, held.incident)
            require_read(cursor, desk, owns(held.incident))
            outbox.tried(cursor, held.key, held.attempts + 1)
            if not held.sent:
                at = self._clock()
                sent = NotificationSent(
                    at=at, by=BY, incident=held.incident, key=held.key
                )
                desk.record(sent)
                settle(self._log, cursor, desk)
        return True

    def _finish(self, waiting: Waiting, outcome: Outcome, seat: Leadership) -> None:
        """Note its outcome, or when to try again."""
        with self._log.transaction() as cursor:
            seat.demand(cursor)
            held = outbox.held(cursor, waiting.key)
            if held is None:
                return
            at = self._clock()
            if isinstance(outcome, Failed) and not outcome.permanent:
                attempts = waiting.attempts + 1
                when = next_attempt(held.key, attempts, at, outcome.retry_after)
                if when is not None:
                    outbox.again(cursor, held.key, when, attempts)
                    return
            desk = self._worker.desk(cursor, held.incident)
            require_read(cursor, desk, owns(held.incident))
            outbox.over(cursor, held.key)
            desk.record(self._end(held, outcome))
            settle(self._log, cursor, desk)
        match outcome:
            case Delivered():
                self.confirmed_total += 1
            case Failed(withheld=True):
                self.withheld_total += 1
            case Failed():
                self.failed_total += 1

    def _end(
        self, held: Waiting, outcome: Outcome
    ) -> NotificationConfirmed | NotificationFailed:
        at, incident, key = self._clock(), held.incident, held.key
        match outcome:
            case Delivered(receipt=receipt):
                return NotificationConfirmed(
                    at=at,
                    by=BY,
                    incident=incident,
                    key=key,
                    attempts=held.attempts,
                    receipt=receipt,
                )
            case Failed(reason=reason):
                return NotificationFailed(
                    at=at,
                    by=BY,
                    incident=incident,
                    key=key,
                    attempts=held.attempts,
                    reason=reason,
                )
