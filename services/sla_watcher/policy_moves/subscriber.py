"""Commands over NATS that move promises: one page of incidents per answer."""

from concurrent.futures import Executor
from typing import Any

from services.sla_watcher.policy_moves.worker import PolicyMove
from shared.commands.subscriber import CommandSet, CommandSubscriber
from shared.domain.commands.policy_moves import (
    LookAtMove,
    MovedPage,
    MovePromises,
    MoveSeen,
    PreviewMove,
)
from shared.messaging.commands import CommandRequest
from shared.process_manager.command_subscriber import patiently
from shared.security.sender import READERS

AT_ONCE_MAX = 2
"""Pages of one verb that are processed together: each is many transactions."""
_ANSWER = MovedPage | MoveSeen
_MOVES = CommandSet((MovePromises,), _ANSWER, at_once=AT_ONCE_MAX)
_QUESTIONS = CommandSet(
    (PreviewMove, LookAtMove), _ANSWER, at_once=AT_ONCE_MAX, scopes=READERS
)


def listen_for_moves(
    subscriber: CommandSubscriber, moves: PolicyMove, executor: Executor
) -> None:
    """Subscribe to all commands and queries about moves."""

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

    subscriber.subscribe(_MOVES, handle)
    subscriber.subscribe(_QUESTIONS, handle)
