"""Takes commands about incidents, problems and changes, and adds them to a batch."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from faststream.nats import NatsBroker

from services.intake.commands.pending_command import PendingCommand
from shared.commands.subscriber import Body, CommandSubscriber
from shared.domain.commands.change import BODIES as OF_CHANGES
from shared.domain.commands.incident import BODIES as OF_INCIDENTS
from shared.domain.commands.problem import BODIES as OF_PROBLEMS
from shared.domain.record import RecordKind, kind_of
from shared.eventlog.batcher import Batcher
from shared.http.problem_details import HttpError
from shared.messaging.commands import Answered, CommandRequest
from shared.security.sender import Authentication

QUEUE_GROUP = "intake"
AT_ONCE_MAX = 64
"""Commands of one verb that may wait for their batch concurrently."""

OWNED: Mapping[RecordKind, Mapping[str, type[Body]]] = {
    "incident": OF_INCIDENTS,
    "problem": OF_PROBLEMS,
    "change": OF_CHANGES,
}
"""The bodies of the verbs that people may use, by kind of record."""


def listen(
    broker: NatsBroker,
    authentication: Authentication,
    batcher: Batcher[PendingCommand, Answered],
) -> None:
    """Subscribe to every verb that people may use."""
    subscriber = CommandSubscriber(
        broker, authentication, QUEUE_GROUP, AT_ONCE_MAX, Answered, previews=True
    )
    for kind, bodies in OWNED.items():
        for body in bodies.values():
            subscriber.subscribe(kind, body, partial(_submit, batcher, kind))


async def _submit(
    batcher: Batcher[PendingCommand, Answered],
    kind: RecordKind,
    request: CommandRequest[Any],
) -> Answered:
    """Return the answer to a command; 422 if it names no record of the right kind."""
    pending = PendingCommand.of(request)
    ref = request.incident if kind == "incident" else request.record
    fits = ref is not None and kind_of(ref) == kind
    if not fits and not pending.creates:
        raise HttpError(422, f"name the {kind} the command is about")
    return await batcher.submit(pending)
