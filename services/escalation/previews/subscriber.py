"""Questions over NATS who would be told if an incident came."""

from concurrent.futures import Executor
from typing import Any

from faststream.nats import NatsBroker

from services.escalation.previews.queries import EscalationPreviews
from shared.commands.subscriber import CommandSubscriber
from shared.domain.commands.escalation_preview import (
    EscalationPreview,
    PreviewEscalation,
)
from shared.messaging.commands import CommandRequest
from shared.process_manager.command_subscriber import patiently
from shared.security.sender import READERS, Authentication

AT_ONCE_MAX = 2
"""Previews that are taken at once: one runs, and one waits for it."""


def listen_for_previews(
    broker: NatsBroker,
    authentication: Authentication,
    previews: EscalationPreviews,
    executor: Executor,
    queue_group: str,
) -> None:
    """Subscribe to questions for previews."""
    subscriber = CommandSubscriber(
        broker, authentication, queue_group, AT_ONCE_MAX, EscalationPreview
    )

    async def handle(request: CommandRequest[Any]) -> EscalationPreview:
        return await patiently(executor, previews.take, request)

    kind = PreviewEscalation
    subscriber.subscribe(kind.aggregate, kind, handle, READERS)
