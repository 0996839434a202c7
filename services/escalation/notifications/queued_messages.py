"""Sends the messages that wait in a table, beside those about an incident.

Several processes may run: each takes one request at a time, which the others skip
meanwhile. One whose process dies is taken again after a minute, with the same key.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar, assert_never

import structlog

from services.escalation.notifications.channels.outlets import Outlets
from services.escalation.notifications.channels.parcel import Parcel
from services.escalation.notifications.channels.retry import (
    RETRIED_FOR,
    Delivered,
    Failed,
    Outcome,
    next_attempt,
)
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.eventlog.errors import away, is_unavailable
from shared.eventlog.log import EventLog
from shared.http.rounds import AT_ONCE, in_rounds
from shared.observability.health import Check
from shared.threads import in_thread

LOOK_SECONDS = 1.0
AGAIN = timedelta(minutes=1)
"""When a message is taken again whose sender failed or died."""
FORGET_EVERY = timedelta(hours=1)
_log = structlog.get_logger(__name__)


class Request(Protocol):
    """A message that waits."""

    @property
    def kind(self) -> str:
        """What it is about."""

    @property
    def key(self) -> str:
        """Identifies the message at its server, also if it is sent again."""

    @property
    def attempts(self) -> int:
        """How often it was taken, this time included."""


AnyRequest = TypeVar("AnyRequest", bound=Request)


def _nothing(_cursor: Cursors, _request: object, _outcome: Outcome) -> None:
    pass  # the table has the outcome


@dataclass(frozen=True)
class MessageQueue(Generic[AnyRequest]):
    """The table in which messages wait; `name` is that of its health check.

    `again` and `over` store nothing and return False for a request that somebody else
    took in the meantime: a sender that was frozen must not write over its successor.
    """

    name: str
    take: Callable[[Cursors, datetime], AnyRequest | None]
    again: Callable[[Cursors, AnyRequest, datetime], bool]
    over: Callable[[Cursors, AnyRequest, str], bool]
    forget: Callable[[Cursors, datetime], None]
    record: Callable[[Cursors, AnyRequest, Outcome], None] = _nothing
    """Records in the log how one ended, as the last statement of a transaction."""
    retried_for: timedelta = RETRIED_FOR


@dataclass(eq=False)
class QueuedMessages(Generic[AnyRequest]):
    """Takes requests from a queue and sends what `compose` makes of them.

    `compose` may block. What goes wrong with one is a failed attempt of that message:
    the others follow.
    """

    queue: MessageQueue[AnyRequest]
    compose: Callable[[AnyRequest, datetime], Parcel | Failed]
    log: EventLog
    outlets: Outlets
    clock: Clock
    executor: Executor
    sent_total: int = field(default=0, init=False)
    failed_total: int = field(default=0, init=False)
    _forget_at: datetime | None = field(default=None, init=False)

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set."""
        failed = f"{self.queue.name}.failed"
        await in_rounds(self._round, stop, LOOK_SECONDS, _log, failed)

    async def _round(self) -> float | None:
        return AT_ONCE if await self.send_next() else None

    async def send_next(self) -> bool:
        """Send the next message that is due; return whether there was one."""
        request = await in_thread(self.executor, self._taken)
        if request is None:
            return False
        outcome = await self._outcome(request)
        await in_thread(self.executor, self._note, request, outcome)
        return True

    async def probe(self) -> Check:
        """Return what was sent."""
        numbers = {
            "sent_total": float(self.sent_total),
            "failed_total": float(self.failed_total),
        }
        return Check(self.queue.name, "escalation", True, {}, numbers)

    async def _outcome(self, request: AnyRequest) -> Outcome:
        now = self.clock()
        try:
            parcel = await in_thread(self.executor, self.compose, request, now)
            if isinstance(parcel, Failed):
                return parcel
            return await self.outlets.send(parcel, now)
        except Exception as error:
            if is_unavailable(error):
                raise away(error) from error
            _log.exception(f"{self.queue.name}.not_sent", kind=request.kind)
            why = f"it could not be composed or sent ({type(error).__name__})"
            return Failed(why, permanent=False)

    def _taken(self) -> AnyRequest | None:
        now = self.clock()
        with self.log.transaction() as cursor:
            if self._forget_at is None or self._forget_at <= now:
                self.queue.forget(cursor, now)
                self._forget_at = now + FORGET_EVERY
            return self.queue.take(cursor, now)

    def _note(self, request: AnyRequest, outcome: Outcome) -> None:
        now = self.clock()
        queue = self.queue
        with self.log.transaction() as cursor:
            match outcome:
                case Delivered(receipt=receipt):
                    if queue.over(cursor, request, receipt):
                        self.sent_total += 1
                        queue.record(cursor, request, outcome)
                case Failed(reason=reason, permanent=permanent, retry_after=after):
                    when = next_attempt(
                        request.key, request.attempts, now, after, queue.retried_for
                    )
                    if not permanent and when is not None:
                        queue.again(cursor, request, when)
                    elif queue.over(cursor, request, reason):
                        self.failed_total += 1
                        queue.record(cursor, request, outcome)
                case _:
                    assert_never(outcome)
