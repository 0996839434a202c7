"""Takes commands about surveys as a whole over NATS, each in a thread."""

import asyncio
from concurrent.futures import Executor
from typing import Any

from faststream.nats import NatsBroker

from services.intake.survey_results.store import SurveyResultsDesk
from shared.commands.subscriber import CommandSubscriber
from shared.domain.commands.survey import BODIES, SurveyRecordAnswer
from shared.messaging.commands import CommandRequest
from shared.security.sender import Authentication

QUEUE_GROUP = "intake"
AT_ONCE_MAX = 1
"""Commands of one verb that are processed concurrently: they are rare."""


def listen_for_survey_results(
    broker: NatsBroker,
    authentication: Authentication,
    desk: SurveyResultsDesk,
    executor: Executor,
) -> None:
    """Subscribe to commands about results and actions."""
    subscriber = CommandSubscriber(
        broker, authentication, QUEUE_GROUP, AT_ONCE_MAX, SurveyRecordAnswer
    )

    async def handle(request: CommandRequest[Any]) -> SurveyRecordAnswer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, desk.take, request)

    for body in BODIES.values():
        subscriber.subscribe(body.aggregate, body, handle)
