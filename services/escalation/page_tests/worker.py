"""Plans page tests and sends their messages, over the channels of every other page.

Several processes may run: each takes one test or message at a time.
"""

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import structlog

from services.escalation.notifications.channels.channel import SOON
from services.escalation.notifications.channels.outlets import Outlets
from services.escalation.notifications.channels.parcel import Parcel
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.queued_messages import (
    MessageQueue,
    QueuedMessages,
)
from services.escalation.page_tests import store
from services.escalation.page_tests.letters import PageTestLetters
from services.escalation.page_tests.recorder import PageTestRecorder
from services.escalation.page_tests.store import MessageRequest
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.eventlog.log import EventLog
from shared.http.rounds import AT_ONCE, in_rounds
from shared.observability.health import Check
from shared.threads import in_thread

LOOK_SECONDS = 0.5
NAME = "page_tests"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class PageTestWorker:
    """Plans by `recorder`, then sends what is due by `messages`."""

    recorder: PageTestRecorder
    messages: QueuedMessages[MessageRequest]
    executor: Executor

    @classmethod
    def of(
        cls,
        log: EventLog,
        public_url: str,
        outlets: Outlets,
        clock: Clock,
        executor: Executor,
    ) -> Self:
        """Return the worker of a desk."""
        recorder = PageTestRecorder(log, clock)
        letters = PageTestLetters(log, public_url, outlets.traits)

        def take(cursor: Cursors, now: datetime) -> MessageRequest | None:
            request = store.take(cursor, now)
            if request is not None:
                log.look(cursor)  # nothing is sent if the log went back
                recorder.sent(cursor, request)
            return request

        def compose(request: MessageRequest, now: datetime) -> Parcel | Failed:
            return outlets.refusal(request.channel) or letters.of(request, now)

        queue = MessageQueue(
            NAME,
            take,
            store.again,
            store.over,
            store.forget,
            recorder.over,
            retried_for=SOON,
        )
        messages = QueuedMessages(queue, compose, log, outlets, clock, executor)
        return cls(recorder, messages, executor)

    async def run(self, stop: asyncio.Event) -> None:
        """Plan and send until `stop` is set."""
        await in_rounds(self.round, stop, LOOK_SECONDS, _log, f"{NAME}.failed")

    async def round(self) -> float | None:
        """Plan a test, or else send a message; return when to look again."""
        if await in_thread(self.executor, self.recorder.plan_next):
            return AT_ONCE
        return AT_ONCE if await self.messages.send_next() else None

    async def probe(self) -> Check:
        """Return what was sent."""
        return await self.messages.probe()
