"""Takes commands over NATS: one subject for each verb, shared by a queue group.

The sender is derived from the credential in the message before anything else happens.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from inspect import getdoc
from typing import Any, ClassVar, Protocol

from faststream.nats import NatsBroker

from shared.http.problem_details import HttpError
from shared.messaging import subjects
from shared.messaging.commands import CommandMessage, CommandRequest, Scope
from shared.security.sender import COMMANDERS, Authentication


class Body(Protocol):
    """The body of a command: what to change, and how."""

    verb: ClassVar[str]


@dataclass(frozen=True)
class CommandSubscriber:
    """Subscribes a service to commands; any free process of it takes a command."""

    broker: NatsBroker
    authentication: Authentication
    queue_group: str
    at_once: int
    """The maximum number of concurrent commands of one verb."""
    answer: object
    """The type of the answers."""
    previews: bool = False
    """Whether `handle` can decide a command without recording it."""

    def subscribe(
        self,
        aggregate: str,
        body: type[Body],
        handle: Callable[[CommandRequest[Any]], Awaitable[object]],
        scopes: Sequence[Scope] = COMMANDERS,
    ) -> None:
        """Answer each command with this body by what `handle` returns."""

        async def take(request: CommandMessage[Any]) -> object:
            if request.preview and not self.previews:
                raise HttpError(422, "this command cannot be previewed", code="preview")
            return await handle(await self.authentication.request(request, scopes))

        # FastStream reads the annotations: each verb has a body of its own.
        message = CommandMessage[body]  # type: ignore[valid-type]
        take.__annotations__ = {"request": message, "return": self.answer}
        self.broker.subscriber(
            subjects.command(aggregate, body.verb),
            queue=self.queue_group,
            max_workers=self.at_once,
            title=f"{aggregate}.{body.verb}",
            description=getdoc(body),
        )(take)
