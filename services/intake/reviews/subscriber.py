"""Takes commands on reviews over NATS, each in a thread."""

import asyncio
from concurrent.futures import Executor
from typing import Any

from faststream.nats import NatsBroker

from services.intake.reviews.store import ReviewDesk
from shared.commands.subscriber import CommandSubscriber
from shared.domain.commands.review import BODIES, ReviewAnswer
from shared.messaging.commands import CommandRequest
from shared.security.sender import Authentication

QUEUE_GROUP = "intake"
AT_ONCE_MAX = 2
"""Commands of one verb that are processed concurrently: they are rare."""


def listen_for_reviews(
    broker: NatsBroker,
    authentication: Authentication,
    desk: ReviewDesk,
    executor: Executor,
) -> None:
    """Subscribe to commands on reviews and their actions."""
    subscriber = CommandSubscriber(
        broker, authentication, QUEUE_GROUP, AT_ONCE_MAX, ReviewAnswer
    )

    async def handle(request: CommandRequest[Any]) -> ReviewAnswer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, desk.take, request)

    for body in BODIES.values():
        subscriber.subscribe(body.aggregate, body, handle)
