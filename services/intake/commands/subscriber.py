"""Takes commands about incidents, problems and changes, and adds them to a batch."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from services.intake.commands.pending_command import PendingCommand
from shared.commands.subscriber import Body, CommandSet, CommandSubscriber
from shared.domain.commands.change import BODIES as OF_CHANGES
from shared.domain.commands.incident import BODIES as OF_INCIDENTS
from shared.domain.commands.problem import BODIES as OF_PROBLEMS
from shared.domain.record import RecordKind, kind_of
from shared.eventlog.batcher import Batcher
from shared.http.problem_details import HttpError
from shared.messaging.commands import Answered, CommandRequest

AT_ONCE_MAX = 64
"""Commands of one verb that may wait for their batch concurrently."""

OWNED: Mapping[RecordKind, Mapping[str, type[Body]]] = {
    "incident": OF_INCIDENTS,
    "problem": OF_PROBLEMS,
    "change": OF_CHANGES,
}
"""The bodies of the verbs that people may use, by kind of record."""


def listen(
    subscriber: CommandSubscriber, batcher: Batcher[PendingCommand, Answered]
) -> None:
    """Subscribe to every verb that people may use."""
    for kind, bodies in OWNED.items():
        commands = CommandSet(
            bodies.values(),
            Answered,
            at_once=AT_ONCE_MAX,
            previews=True,
            aggregate=kind,
        )
        subscriber.subscribe(commands, partial(_submit, batcher, kind))


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
