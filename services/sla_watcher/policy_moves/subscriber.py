"""Commands over NATS that move promises: one page of incidents per answer."""

from concurrent.futures import Executor
from typing import Any

from faststream.nats import NatsBroker

from services.sla_watcher.policy_moves.worker import PolicyMove
from shared.commands.subscriber import CommandSubscriber
from shared.domain.commands.policy_moves import (
    BODIES,
    MovedPage,
    MovePromises,
    MoveSeen,
)
from shared.messaging.commands import CommandRequest
from shared.process_manager.command_subscriber import patiently
from shared.security.sender import COMMANDERS, READERS, Authentication

AT_ONCE_MAX = 2
"""Pages of one verb that are processed together: each is many transactions."""


def listen_for_moves(
    broker: NatsBroker,
    authentication: Authentication,
    moves: PolicyMove,
    executor: Executor,
    queue_group: str,
) -> None:
    """Subscribe to all commands and queries about moves."""
    subscriber = CommandSubscriber(
        broker, authentication, queue_group, AT_ONCE_MAX, MovedPage | MoveSeen
    )

    async def handle(command: CommandRequest[Any]) -> MovedPage | MoveSeen:
        begun = await patiently(executor, moves.begin, command)
        if isinstance(begun, MoveSeen):
            return begun
        limit = command.body.limit
        items = [
            await patiently(executor, moves.one, command, incident)
            for incident in begun[:limit]
        ]
        return MovedPage(
            items=tuple(item for item in items if item is not None),
            next_after=begun[limit - 1] if len(begun) > limit else None,
        )

    for body in BODIES.values():
        scopes = COMMANDERS if body is MovePromises else READERS
        subscriber.subscribe(body.aggregate, body, handle, scopes)
