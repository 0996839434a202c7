"""Health of the outbox: what is waiting, for how long, and which process sends."""

import asyncio
from dataclasses import dataclass

from services.escalation.notifications import outbox
from services.escalation.notifications.dispatcher import (
    LEASE,
    Dispatcher,
    NotificationSender,
)
from shared.clock import Clock
from shared.database.leadership import FREE_SECONDS_MAX, LeaseState, look
from shared.eventlog.errors import Unavailable, why_away
from shared.eventlog.log import EventLog
from shared.observability.health import Check

OLDEST_SECONDS_MAX = 900.0
"""Age of the oldest waiting notification above which an alarm is raised."""
DUE_SECONDS_MAX = 120.0
"""How long a due notification may go untried before an alarm is raised."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    count: int
    oldest_seconds: float
    due_seconds: float | None
    """How long the oldest due notification has been due; None if none is due."""
    lease: LeaseState


@dataclass(frozen=True, eq=False)
class OutboxProbe:
    """Not ready while messages are due and no process sends any.

    A message that waits for a server outside is an alarm: the desk starts without it.
    """

    log: EventLog
    dispatcher: Dispatcher
    sender: NotificationSender
    clock: Clock

    async def __call__(self) -> Check:
        """Return the state of the outbox."""
        numbers = {
            "leads": float(self.dispatcher.leads),
            "confirmed_total": float(self.sender.confirmed_total),
            "failed_total": float(self.sender.failed_total),
            "withheld_total": float(self.sender.withheld_total),
        }
        try:
            seen = await asyncio.to_thread(self._look)
        except Unavailable as error:
            texts = {"why": why_away(error)}
            return Check("outbox", "escalation", False, texts, numbers)
        numbers |= {
            "waiting": float(seen.count),
            "oldest_seconds": seen.oldest_seconds,
            "due_seconds": seen.due_seconds or 0.0,
            **seen.lease.numbers(),
        }
        why = _why(seen)
        texts = {"why": why, **seen.lease.words()}
        return Check("outbox", "escalation", not why, texts, numbers, _alarm(seen))

    def _look(self) -> _Waiting:
        now = self.clock()
        with self.log.transaction() as cursor:
            count, oldest = outbox.waiting(cursor)
            due = outbox.due_since(cursor, now)
            lease = look(cursor, LEASE)
        return _Waiting(
            count,
            max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
            (now - due).total_seconds() if due else None,
            lease,
        )


def _why(seen: _Waiting) -> str:
    """Return why nobody sends, empty if somebody does."""
    free = seen.lease.free_seconds
    if seen.due_seconds is None or free <= FREE_SECONDS_MAX:
        return ""
    return (
        f"messages are due and no process has sent any for {free:.0f} s: the oldest "
        f"has waited for {seen.oldest_seconds:.0f} s"
    )


def _alarm(seen: _Waiting) -> str:
    """Return which message waits too long, empty if none: a server may be away."""
    due = seen.due_seconds or 0.0
    if due > DUE_SECONDS_MAX:
        return f"a message has been due for {due:.0f} s and was not tried"
    if seen.oldest_seconds > OLDEST_SECONDS_MAX:
        return f"a message has waited for {seen.oldest_seconds:.0f} s to be sent"
    return ""
