"""Moves of promises over NATS: one subject a verb, answered with a page."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from inspect import getdoc
from typing import Any, TypeVar

from faststream.nats import NatsBroker

from shared import subjects
from shared.casework.command_bus import AGAIN_SECONDS, ATTEMPTS_MAX
from shared.casework.settling import Behind
from shared.command import CommandRequest
from shared.event_log import StaleVersion
from shared.problem import Problem
from shared.sla_moves import BODIES, MovedIncident, MovedPage, MoveSeen, MoveWish

AT_ONCE_MAX = 2
"""Pages of one verb under way together: each is many transactions."""
_Done = TypeVar("_Done")


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
        begun = await _in(executor, begin, request)
        if isinstance(begun, MoveSeen):
            return begun
        limit = request.body.limit
        items = [await _in(executor, one, request, name) for name in begun[:limit]]
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


async def _in(executor: Executor, do: Callable[..., _Done], *given: object) -> _Done:
    """Return what `do` returns, tried again while the incident is being read."""
    loop = asyncio.get_running_loop()
    for _ in range(ATTEMPTS_MAX):
        try:
            return await loop.run_in_executor(executor, do, *given)
        except (Behind, StaleVersion):
            await asyncio.sleep(AGAIN_SECONDS)
    raise Problem(
        503,
        "much is happening to an incident; it was not moved: ask again",
        code="busy",
        retry_after=1,
    )
