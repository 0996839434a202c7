"""Takes commands over NATS: one subject for each verb, shared by a queue group.

The sender is derived from the credential in the message before anything else happens.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from inspect import getdoc
from typing import Any, ClassVar, Protocol

from faststream.nats import NatsBroker

from shared.http.problem_details import HttpError
from shared.messaging import subjects
from shared.messaging.commands import CommandMessage, CommandRequest, Scope
from shared.security.sender import COMMANDERS, Authentication
from shared.threads import in_thread


class Body(Protocol):
    """The body of a command: what to change, and how."""

    verb: ClassVar[str]


@dataclass(frozen=True)
class CommandSet:
    """Commands that are taken in the same way."""

    bodies: Collection[type[Body]]
    answer: object
    """The type of the answers."""
    at_once: int
    """The maximum number of concurrent commands of one verb."""
    scopes: Sequence[Scope] = COMMANDERS
    """The scopes whose tokens may send them."""
    previews: bool = False
    """Whether they can be decided without being recorded."""
    aggregate: str = ""
    """The aggregate of bodies that name none."""


@dataclass(frozen=True)
class CommandSubscriber:
    """Subscribes a service to commands; any free process of it takes a command."""

    broker: NatsBroker
    authentication: Authentication
    queue_group: str

    def subscribe(
        self,
        commands: CommandSet,
        handle: Callable[[CommandRequest[Any]], Awaitable[object]],
    ) -> None:
        """Answer each of `commands` by what `handle` returns."""
        for body in commands.bodies:
            self._subscribe(commands, body, handle)

    def subscribe_blocking(
        self,
        commands: CommandSet,
        take: Callable[[CommandRequest[Any]], object],
        executor: Executor,
    ) -> None:
        """Answer each of `commands` by what `take`, which blocks, returns."""

        async def handle(request: CommandRequest[Any]) -> object:
            return await in_thread(executor, take, request)

        self.subscribe(commands, handle)

    def _subscribe(
        self,
        commands: CommandSet,
        body: type[Body],
        handle: Callable[[CommandRequest[Any]], Awaitable[object]],
    ) -> None:
        async def take(request: CommandMessage[Any]) -> object:
            if request.preview and not commands.previews:
                raise HttpError(422, "this command cannot be previewed", code="preview")
            sent = await self.authentication.request(request, commands.scopes)
            return await handle(sent)

        # FastStream reads the annotations: each verb has a body of its own.
        message = CommandMessage[body]  # type: ignore[valid-type]
        take.__annotations__ = {"request": message, "return": commands.answer}
        aggregate = getattr(body, "aggregate", commands.aggregate)
        self.broker.subscriber(
            subjects.command(aggregate, body.verb),
            queue=self.queue_group,
            max_workers=commands.at_once,
            title=f"{aggregate}.{body.verb}",
            description=getdoc(body),
        )(take)
