"""Takes questions about pages over NATS, and processes each in a thread."""

import asyncio
from concurrent.futures import Executor
from typing import Any

from faststream.nats import NatsBroker

from services.intake.page_explanations.store import ExplanationDesk
from shared.commands.subscriber import CommandSubscriber
from shared.domain.commands.page_explanation import BODIES, ExplanationAnswer
from shared.messaging.commands import CommandRequest
from shared.security.sender import READERS, Authentication

QUEUE_GROUP = "intake"
AT_ONCE_MAX = 2
"""Questions that are processed concurrently."""


def listen_for_explanations(
    broker: NatsBroker,
    authentication: Authentication,
    desk: ExplanationDesk,
    executor: Executor,
) -> None:
    """Subscribe to questions about the pages of people; auditors may ask, too."""
    subscriber = CommandSubscriber(
        broker, authentication, QUEUE_GROUP, AT_ONCE_MAX, ExplanationAnswer
    )

    async def handle(request: CommandRequest[Any]) -> ExplanationAnswer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, desk.take, request)

    for body in BODIES.values():
        subscriber.subscribe(body.aggregate, body, handle, READERS)
