"""Takes commands about who is on call over NATS, and processes each in a thread."""

import asyncio
from concurrent.futures import Executor
from typing import Any

from faststream.nats import NatsBroker

from services.intake.on_call.store import OnCallDesk
from shared.commands.subscriber import CommandSubscriber
from shared.domain.commands.on_call import BODIES, OnCallAnswer
from shared.messaging.commands import CommandRequest
from shared.security.sender import Authentication

QUEUE_GROUP = "intake"
AT_ONCE_MAX = 4
"""Commands of one verb that are processed concurrently."""


def listen_for_on_call(
    broker: NatsBroker,
    authentication: Authentication,
    desk: OnCallDesk,
    executor: Executor,
) -> None:
    """Subscribe to every command about who is on call."""
    subscriber = CommandSubscriber(
        broker, authentication, QUEUE_GROUP, AT_ONCE_MAX, OnCallAnswer, previews=True
    )

    async def handle(request: CommandRequest[Any]) -> OnCallAnswer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, desk.take, request)

    for body in BODIES.values():
        subscriber.subscribe(body.aggregate, body, handle)
