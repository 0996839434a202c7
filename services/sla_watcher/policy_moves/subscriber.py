"""Commands over NATS that move promises: one subject per verb, one page per answer."""

from collections.abc import Sequence
from concurrent.futures import Executor
from inspect import getdoc
from typing import Any, Protocol

from faststream.nats import NatsBroker

from shared.domain.commands.policy_moves import (
    BODIES,
    MovedIncident,
    MovedPage,
    MovePromises,
    MoveSeen,
    MoveWish,
)
from shared.messaging import subjects
from shared.messaging.commands import CommandMessage, CommandRequest
from shared.process_manager.command_subscriber import patiently
from shared.security.sender import COMMANDERS, READERS, Authentication

AT_ONCE_MAX = 2
"""Pages of one verb that are processed together: each is many transactions."""


class MoveHandlers(Protocol):
    """Executes a move, a page at a time. Both methods block."""

    def begin(self, request: CommandRequest[Any]) -> MoveSeen | Sequence[str]:
        """Return the progress of a move, or the incidents of the page."""

    def one(self, request: CommandRequest[Any], name: str) -> MovedIncident | None:
        """Move the promises about the incident `name`."""


def listen_for_moves(
    broker: NatsBroker,
    authentication: Authentication,
    moves: MoveHandlers,
    executor: Executor,
    queue_group: str,
) -> None:
    """Subscribe to all commands and queries about moves."""
    for kind in BODIES.values():
        _listen_to(broker, authentication, moves, executor, kind, queue_group)


def _listen_to(  # what is called, and how
    broker: NatsBroker,
    authentication: Authentication,
    moves: MoveHandlers,
    executor: Executor,
    kind: type[MoveWish],
    queue_group: str,
) -> None:
    scopes = COMMANDERS if kind is MovePromises else READERS

    async def take(request: CommandMessage[Any]) -> MovedPage | MoveSeen:
        command = await authentication.request(request, scopes)
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

    # FastStream reads the annotation: each verb has a body of its own.
    take.__annotations__["request"] = CommandMessage[kind]  # type: ignore[valid-type]
    broker.subscriber(
        subjects.command(kind.aggregate, kind.verb),
        queue=queue_group,
        max_workers=AT_ONCE_MAX,
        title=f"{kind.aggregate}.{kind.verb}",
        description=getdoc(kind),
    )(take)
