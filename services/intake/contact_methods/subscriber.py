"""Takes commands about contact methods over NATS, and processes each in a thread."""

import asyncio
from concurrent.futures import Executor
from typing import Any

from faststream.nats import NatsBroker

from services.intake.contact_methods.store import ContactMethodDesk
from services.intake.people.subscriber import AT_ONCE_MAX, QUEUE_GROUP
from shared.commands.subscriber import CommandSubscriber
from shared.domain.commands.contact_method import BODIES, ContactMethodAnswer
from shared.messaging.commands import CommandRequest
from shared.security.sender import Authentication


def listen_for_contact_methods(
    broker: NatsBroker,
    authentication: Authentication,
    desk: ContactMethodDesk,
    executor: Executor,
) -> None:
    """Subscribe to every command about contact methods."""
    subscriber = CommandSubscriber(
        broker, authentication, QUEUE_GROUP, AT_ONCE_MAX, ContactMethodAnswer
    )

    async def handle(request: CommandRequest[Any]) -> ContactMethodAnswer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, desk.take, request)

    for body in BODIES.values():
        subscriber.subscribe(body.aggregate, body, handle)
