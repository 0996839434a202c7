"""Moves of promises over NATS: one subject a verb, answered with a page."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from inspect import getdoc
from typing import Any

from faststream.nats import NatsBroker

from shared import subjects
from shared.casework.command_bus import patiently
from shared.command import CommandRequest
from shared.sla_moves import BODIES, MovedIncident, MovedPage, MoveSeen, MoveWish

AT_ONCE_MAX = 2
"""Pages of one verb under way together: each is many transactions."""

Begin = Callable[[CommandRequest[Any]], MoveSeen | Sequence[str]]
One = Callable[[CommandRequest[Any], str], MovedIncident | None]


def listen_for_moves(
    broker: NatsBroker, begin: Begin, one: One, executor: Executor, queue_group: str
) -> None:
    """Subscribe to all that is asked about moves; `begin` and `one` block."""
    for kind in BODIES.values():
        _listen_to(broker, begin, one, executor, kind, queue_group)


def _listen_to(  # what is called, and how
    broker: NatsBroker,
    begin: Begin,
    one: One,
    executor: Executor,
    kind: type[MoveWish],
    queue_group: str,
) -> None:
    async def take(request: CommandRequest[Any]) -> MovedPage | MoveSeen:
        begun = await patiently(executor, begin, request)
        if isinstance(begun, MoveSeen):
            return begun
        limit = request.body.limit
        items = [
            await patiently(executor, one, request, name) for name in begun[:limit]
        ]
        return MovedPage(
            items=tuple(item for item in items if item is not None),
            next_after=begun[limit - 1] if len(begun) > limit else None,
        )

    # The annotation is what FastStream reads: each verb has a body of its own.
    take.__annotations__["request"] = CommandRequest[kind]  # type: ignore[valid-type]
    broker.subscriber(
        subjects.command(kind.aggregate, kind.verb),
        queue=queue_group,
        max_workers=AT_ONCE_MAX,
        title=f"{kind.aggregate}.{kind.verb}",
        description=getdoc(kind),
    )(take)
