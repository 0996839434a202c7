"""Commands over NATS: one subject for each verb, shared by a queue group."""

from collections.abc import Mapping
from hashlib import sha256
from inspect import getdoc
from typing import Any

import orjson
from faststream.nats import NatsBroker

from services.intake.commands.command import RecordWish
from services.intake.commands.pending_command import (
    CHANGE,
    INCIDENT,
    PROBLEM,
    PendingCommand,
    is_beginning,
    verb_of,
)
from shared.domain.commands.change import BODIES as OF_CHANGES
from shared.domain.commands.incident import BODIES as OF_INCIDENTS
from shared.domain.commands.incident import PersonsWish
from shared.domain.commands.problem import BODIES as OF_PROBLEMS
from shared.eventlog.batcher import Batcher
from shared.http.problem_details import HttpError
from shared.messaging import subjects
from shared.messaging.commands import Answered, CommandMessage, CommandRequest
from shared.security.sender import Authentication

QUEUE_GROUP = "intake"
AT_ONCE_MAX = 64
"""Commands of one verb that may wait for their batch concurrently."""

OWNED: Mapping[str, Mapping[str, type[PersonsWish | RecordWish]]] = {
    INCIDENT: OF_INCIDENTS,
    PROBLEM: OF_PROBLEMS,
    CHANGE: OF_CHANGES,
}
"""The bodies of the verbs that people may use, by kind of record."""
_PREFIX = {PROBLEM: "PRB-", CHANGE: "CHG-"}


def listen(
    broker: NatsBroker,
    authentication: Authentication,
    batcher: Batcher[PendingCommand, Answered],
) -> None:
    """Subscribe to every verb that people may use."""
    for aggregate, bodies in OWNED.items():
        for kind in bodies.values():
            _listen_to(broker, authentication, batcher, aggregate, kind)


def _listen_to(
    broker: NatsBroker,
    authentication: Authentication,
    batcher: Batcher[PendingCommand, Answered],
    aggregate: str,
    kind: type[PersonsWish | RecordWish],
) -> None:
    async def take(request: CommandMessage[Any]) -> Answered:
        command = await authentication.request(request)
        _require_subject(command, aggregate)
        digest = digest_of(command)
        return await batcher.submit(PendingCommand(command, command.body, digest))

    # FastStream reads the annotation: each verb has its own body.
    take.__annotations__["request"] = CommandMessage[kind]  # type: ignore[valid-type]
    broker.subscriber(
        subjects.command(aggregate, kind.verb),
        queue=QUEUE_GROUP,
        max_workers=AT_ONCE_MAX,
        title=f"{aggregate}.{kind.verb}",
        description=getdoc(kind),
    )(take)


def _require_subject(request: CommandRequest[Any], aggregate: str) -> None:
    """Raise `HttpError` 422 if the command names no record of the right kind."""
    prefix = _PREFIX.get(aggregate)
    ref = request.record if prefix else request.incident
    fits = ref is not None and ref.startswith(prefix or "INC-")
    if not fits and not is_beginning(request.body):
        raise HttpError(422, f"name the {aggregate} the command is about")


def digest_of(request: CommandRequest[Any]) -> bytes:
    """Return a digest of verb, record and body, to detect a reused command id."""
    wish = request.body
    body = wish.model_dump(mode="json", exclude_unset=True)
    told = [verb_of(wish), request.about, body]
    return sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).digest()
