"""Commands over NATS: one subject a verb, answered by whoever of the owners is free."""

from hashlib import sha256
from inspect import getdoc
from typing import Any

import orjson
from faststream.nats import NatsBroker

from services.intake.deliberating import Wanted
from shared import subjects
from shared.batcher import Batcher
from shared.command import CommandAnswer, CommandRequest
from shared.problem import Problem
from shared.wishes import BODIES, Open, PersonsWish

AGGREGATE = "incident"
QUEUE_GROUP = "intake"
AT_ONCE_MAX = 64
"""Commands of one verb that wait for their batch together."""


def listen(broker: NatsBroker, batcher: Batcher[Wanted, CommandAnswer]) -> None:
    """Subscribe to every verb a person may use."""
    for verb, kind in BODIES.items():
        _listen_to(broker, batcher, verb, kind)


def _listen_to(
    broker: NatsBroker,
    batcher: Batcher[Wanted, CommandAnswer],
    verb: str,
    kind: type[PersonsWish],
) -> None:
    async def take(request: CommandRequest[Any]) -> CommandAnswer:
        if request.incident is None and verb != Open.verb:
            raise Problem(422, "name the incident the command is about")
        digest = digest_of(verb, request)
        return await batcher.submit(Wanted(request, request.body, digest))

    # The annotation is what FastStream reads: each verb has a body of its own.
    take.__annotations__["request"] = CommandRequest[kind]  # type: ignore[valid-type]
    broker.subscriber(
        subjects.command(AGGREGATE, verb),
        queue=QUEUE_GROUP,
        max_workers=AT_ONCE_MAX,
        title=f"{AGGREGATE}.{verb}",
        description=getdoc(kind),
    )(take)


def digest_of(verb: str, request: CommandRequest[Any]) -> bytes:
    """Return what tells two uses of one command id apart: verb, incident and body."""
    body = request.body.model_dump(mode="json", exclude_unset=True)
    told = [verb, request.incident, body]
    return sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).digest()
