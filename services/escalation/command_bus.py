"""Commands over NATS: one subject a verb, answered by whichever process is free."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from inspect import getdoc
from typing import Any

from faststream.nats import NatsBroker

from services.escalation.settling import Behind
from shared import subjects
from shared.command import CommandAnswer, CommandRequest
from shared.event_log import StaleVersion
from shared.help_wishes import BODIES, HelpWish
from shared.problem import Problem

Do = Callable[[CommandRequest[Any]], CommandAnswer]
QUEUE_GROUP = "escalation"
AT_ONCE_MAX = 8
"""Commands of one verb under way together."""
ATTEMPTS_MAX = 100
AGAIN_SECONDS = 0.03
"""How often, and after how long, a command is taken again that came too early."""


def listen(broker: NatsBroker, do: Do, executor: Executor) -> None:
    """Subscribe to every verb a person may use; `do` does it, and blocks."""
    for kind in BODIES.values():
        _listen_to(broker, do, executor, kind)


def _listen_to(
    broker: NatsBroker,
    do: Do,
    executor: Executor,
    kind: type[HelpWish],
) -> None:
    async def take(request: CommandRequest[Any]) -> CommandAnswer:
        if request.incident is None:
            raise Problem(422, "name the incident the command is about")
        loop = asyncio.get_running_loop()
        for _ in range(ATTEMPTS_MAX):
            try:
                return await loop.run_in_executor(executor, do, request)
            except (Behind, StaleVersion):
                await asyncio.sleep(AGAIN_SECONDS)
        raise Problem(
            503,
            "much is happening to the incident; nothing was done: send it again",
            code="busy",
            retry_after=1,
        )

    # The annotation is what FastStream reads: each verb has a body of its own.
    take.__annotations__["request"] = CommandRequest[kind]  # type: ignore[valid-type]
    broker.subscriber(
        subjects.command(kind.aggregate, kind.verb),
        queue=QUEUE_GROUP,
        max_workers=AT_ONCE_MAX,
        title=f"{kind.aggregate}.{kind.verb}",
        description=getdoc(kind),
    )(take)
