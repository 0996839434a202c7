"""Takes commands about month reports over NATS, each in a thread."""

import asyncio
from concurrent.futures import Executor
from typing import Any

from faststream.nats import NatsBroker

from services.intake.month_reports.store import MonthReportDesk
from shared.commands.subscriber import CommandSubscriber
from shared.domain.commands.month_report import BODIES, MonthReportAnswer
from shared.messaging.commands import CommandRequest
from shared.security.sender import Authentication

QUEUE_GROUP = "intake"
AT_ONCE_MAX = 1
"""Commands of one verb that are processed concurrently: they are rare."""


def listen_for_month_reports(
    broker: NatsBroker,
    authentication: Authentication,
    desk: MonthReportDesk,
    executor: Executor,
) -> None:
    """Subscribe to commands about month reports."""
    subscriber = CommandSubscriber(
        broker, authentication, QUEUE_GROUP, AT_ONCE_MAX, MonthReportAnswer
    )

    async def handle(request: CommandRequest[Any]) -> MonthReportAnswer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, desk.take, request)

    for body in BODIES.values():
        subscriber.subscribe(body.aggregate, body, handle)
