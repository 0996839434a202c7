"""Takes commands about people over NATS, and processes each in a thread."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Any

from faststream.nats import NatsBroker

from services.intake.people.store import PeopleAnswer, PeopleDesk
from shared.commands.subscriber import CommandSubscriber
from shared.domain.commands.person import (
    BODIES,
    CorrectPerson,
    PeopleSynchronised,
    SyncPeople,
)
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest
from shared.security.sender import COMMANDERS, GIVERS, Authentication

QUEUE_GROUP = "intake"
AT_ONCE_MAX = 4
"""Commands of one verb that are processed concurrently."""

Synchronise = Callable[[CommandRequest[SyncPeople]], Awaitable[PeopleSynchronised]]


async def no_directory(_: CommandRequest[SyncPeople]) -> PeopleSynchronised:
    """Refuse to synchronise: there is nothing to synchronise with."""
    raise HttpError(
        409,
        "the desk has no LDAP server: set PERMANENCE_LDAP_FILE for intake",
        code="ldap",
    )


def listen_for_people(
    broker: NatsBroker,
    authentication: Authentication,
    people: PeopleDesk,
    synchronise: Synchronise,
    executor: Executor,
) -> None:
    """Subscribe to every command about people."""
    subscriber = CommandSubscriber(
        broker, authentication, QUEUE_GROUP, AT_ONCE_MAX, PeopleAnswer
    )

    async def handle(request: CommandRequest[Any]) -> PeopleAnswer:
        if isinstance(request.body, SyncPeople):
            return await synchronise(request)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, people.take, request)

    for body in BODIES.values():
        scopes = COMMANDERS if body is CorrectPerson else GIVERS
        subscriber.subscribe(body.aggregate, body, handle, scopes)
