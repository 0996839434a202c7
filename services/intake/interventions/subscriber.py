"""Takes commands about interventions over NATS, and processes each in a thread."""

import asyncio
from concurrent.futures import Executor
from typing import Any

from faststream.nats import NatsBroker

from services.intake.interventions.store import InterventionDesk
from shared.commands.subscriber import CommandSubscriber
from shared.domain.commands.intervention import BODIES, InterventionAnswer
from shared.messaging.commands import CommandRequest
from shared.security.sender import COMMANDERS, Authentication

QUEUE_GROUP = "intake"
AT_ONCE_MAX = 2
"""Commands of one verb that are processed concurrently."""


def listen_for_interventions(
    broker: NatsBroker,
    authentication: Authentication,
    desk: InterventionDesk,
    executor: Executor,
) -> None:
    """Subscribe to every command about interventions."""
    subscriber = CommandSubscriber(
        broker, authentication, QUEUE_GROUP, AT_ONCE_MAX, InterventionAnswer
    )

    async def handle(request: CommandRequest[Any]) -> InterventionAnswer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, desk.take, request)

    for body in BODIES.values():
        subscriber.subscribe(body.aggregate, body, handle, COMMANDERS)
