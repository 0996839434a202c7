"""Takes answers to surveys over NATS, and processes each in a thread."""

import asyncio
from concurrent.futures import Executor
from typing import Any

from faststream.nats import NatsBroker

from services.intake.surveys.commands import SurveyDesk
from shared.commands.subscriber import CommandSubscriber
from shared.domain.commands.survey import AnswerSurvey, SurveyAnswer
from shared.messaging.commands import CommandRequest
from shared.security.sender import Authentication

QUEUE_GROUP = "intake"
AT_ONCE_MAX = 2
"""Answers that are processed concurrently."""


def listen_for_survey_answers(
    broker: NatsBroker,
    authentication: Authentication,
    desk: SurveyDesk,
    executor: Executor,
) -> None:
    """Subscribe to answers. Only a survey link gives the right to one, no role does."""
    subscriber = CommandSubscriber(
        broker, authentication, QUEUE_GROUP, AT_ONCE_MAX, SurveyAnswer
    )

    async def handle(request: CommandRequest[Any]) -> SurveyAnswer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, desk.take, request)

    subscriber.subscribe(AnswerSurvey.aggregate, AnswerSurvey, handle)
