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
"""Age of the oldest waiting notification above which the service is not ready."""
DUE_SECONDS_MAX = 120.0
"""How long a due notification may go untried before the service is not ready."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    count: int
    oldest_seconds: float
    due_seconds: float | None
    """How long the oldest due notification has been due; None if none is due."""
    lease: LeaseState


@dataclass(frozen=True, eq=False)
class OutboxProbe:
    """Not ready while a notification waits too long, whichever process sends it."""

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
        return Check("outbox", "escalation", not why, texts, numbers)

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
    """Return why the outbox is not ready, empty if it is."""
    free, due = seen.lease.free_seconds, seen.due_seconds
    if due is not None and free > FREE_SECONDS_MAX:
        return (
            f"messages are due and no process has sent any for {free:.0f} s: the "
            f"oldest has waited for {seen.oldest_seconds:.0f} s"
        )
    if due is not None and due > DUE_SECONDS_MAX:
        return f"a message has been due for {due:.0f} s and was not tried"
    if seen.oldest_seconds > OLDEST_SECONDS_MAX:
        return f"a message has waited for {seen.oldest_seconds:.0f} s"
    return ""
