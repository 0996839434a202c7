"""Commands over NATS: one subject a verb, answered by whichever process is free."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from inspect import getdoc
from typing import Any, ClassVar, Protocol, TypeVar

from faststream.nats import NatsBroker

from shared import subjects
from shared.authentication import Authentication
from shared.casework.settling import Behind
from shared.command import CommandAnswer, CommandMessage, CommandRequest
from shared.log_errors import StaleVersion
from shared.problem import Problem

_Done = TypeVar("_Done")
Do = Callable[[CommandRequest[Any]], CommandAnswer]
AT_ONCE_MAX = 8
"""Commands of one verb under way together."""
ATTEMPTS_MAX = 100
AGAIN_SECONDS = 0.03
"""How often, and after how long, a command is taken again that came too early."""


class Body(Protocol):
    """The body of a command: it says what it changes of an incident, and how."""

    aggregate: ClassVar[str]
    verb: ClassVar[str]


def listen(
    broker: NatsBroker,
    authentication: Authentication,
    do: Do,
    executor: Executor,
    bodies: Iterable[type[Body]],
    queue_group: str,
) -> None:
    """Subscribe to every verb a person may use; `do` does it, and blocks.

    `queue_group` is the service: whichever of its processes is free takes a command.
    """
    for kind in bodies:
        _listen_to(broker, authentication, do, executor, kind, queue_group)


def _listen_to(
    broker: NatsBroker,
    authentication: Authentication,
    do: Do,
    executor: Executor,
    kind: type[Body],
    queue_group: str,
) -> None:
    async def take(request: CommandMessage[Any]) -> CommandAnswer:
        command = await authentication.request(request)
        if command.incident is None:
            raise Problem(422, "name the incident the command is about")
        return await patiently(executor, do, command)

    # The annotation is what FastStream reads: each verb has a body of its own.
    take.__annotations__["request"] = CommandMessage[kind]  # type: ignore[valid-type]
    broker.subscriber(
        subjects.command(kind.aggregate, kind.verb),
        queue=queue_group,
        max_workers=AT_ONCE_MAX,
        title=f"{kind.aggregate}.{kind.verb}",
        description=getdoc(kind),
    )(take)


async def patiently(
    executor: Executor, do: Callable[..., _Done], *given: object
) -> _Done:
    """Return what `do` returns, tried again while the incident is being read."""
    loop = asyncio.get_running_loop()
    for _ in range(ATTEMPTS_MAX):
        try:
            return await loop.run_in_executor(executor, do, *given)
        except (Behind, StaleVersion):
            await asyncio.sleep(AGAIN_SECONDS)
    raise Problem(
        503,
        "much is happening to the incident; nothing was done: send it again",
        code="busy",
        retry_after=1,
    )
