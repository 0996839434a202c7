"""Takes commands about page tests over NATS, and processes each in a thread."""

import asyncio
from concurrent.futures import Executor
from typing import Any

from faststream.nats import NatsBroker

from services.intake.page_tests.store import PageTestDesk
from shared.commands.subscriber import CommandSubscriber
from shared.domain.commands.page_test import (
    AnswerPageTest,
    PageTestAnswer,
    PageTestConfirmation,
    RequestPageTest,
)
from shared.messaging.commands import CommandRequest
from shared.security.sender import COMMANDERS, Authentication

QUEUE_GROUP = "intake"
AT_ONCE_MAX = 2
"""Commands of one verb that are processed concurrently."""


def listen_for_page_tests(
    broker: NatsBroker,
    authentication: Authentication,
    desk: PageTestDesk,
    executor: Executor,
) -> None:
    """Subscribe to requests for tests, and to answers by the links in messages."""

    def subscriber(answer: object) -> CommandSubscriber:
        return CommandSubscriber(
            broker, authentication, QUEUE_GROUP, AT_ONCE_MAX, answer
        )

    async def request(command: CommandRequest[Any]) -> PageTestAnswer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, desk.take, command)

    async def answer(command: CommandRequest[Any]) -> PageTestConfirmation:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, desk.take_answer, command)

    subscriber(PageTestAnswer).subscribe("person", RequestPageTest, request, COMMANDERS)
    subscriber(PageTestConfirmation).subscribe("person", AnswerPageTest, answer)
