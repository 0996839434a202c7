"""A preview computes shifts of many days: no command waits for one."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import current_thread
from types import SimpleNamespace
from typing import Any

from services.escalation.subscriptions import CommandTakers, Executors, subscribe
from shared.commands.subscriber import CommandSet
from shared.domain.commands.escalation import Accept
from shared.domain.commands.escalation_preview import PreviewEscalation


class _Subscriber:
    """Holds what answers each command."""

    def __init__(self) -> None:
        self.handle: dict[Any, Any] = {}

    def subscribe(self, commands: CommandSet, handle: Any) -> None:
        self.handle |= dict.fromkeys(commands.bodies, handle)


def test_previews_have_a_thread_of_their_own() -> None:
    subscriber: Any = _Subscriber()
    command: Any = SimpleNamespace(incident="INC-1")
    nobody: Any = SimpleNamespace(take=None)

    def take(_: object) -> Any:
        return current_thread().name

    async def scenario(executors: Executors) -> None:
        subscribe(subscriber, CommandTakers(take, take, nobody), executors)
        assert await subscriber.handle[PreviewEscalation](command) == "previews_0"
        assert await subscriber.handle[Accept](command) == "commands_0"

    with (
        ThreadPoolExecutor(1, "commands") as commands,
        ThreadPoolExecutor(1, "previews") as previews,
    ):
        asyncio.run(scenario(Executors(commands, previews)))
