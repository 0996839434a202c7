"""Handles commands over NATS: one subject for each verb, answered by any free process.

For each command: read the case, apply the rules, record the events, answer. Blocks.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from inspect import getdoc
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import orjson
from faststream.nats import NatsBroker
from psycopg import Cursor

from shared.clock import Clock
from shared.domain.events import AnyEvent
from shared.domain.identifiers import incident_stream
from shared.eventlog.append import (
    CommandIdReused,
    Repeated,
    recorded_commands,
    repeated,
)
from shared.eventlog.errors import StaleVersion
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging import subjects
from shared.messaging.commands import (
    CommandAnswer,
    CommandMessage,
    CommandRequest,
    Done,
)
from shared.process_manager.process import Case, Desk, Known
from shared.process_manager.refusals import Refused, journal
from shared.process_manager.worker import CaseBehindLog, Worker, require_read, settle
from shared.security.sender import Authentication

_Done = TypeVar("_Done")
Do = Callable[[CommandRequest[Any]], CommandAnswer]
AT_ONCE_MAX = 8
"""The maximum number of concurrent commands of one verb."""
ATTEMPTS_MAX = 100
AGAIN_SECONDS = 0.03
"""How often, and after what delay, a command that came too early is retried."""


class Body(Protocol):
    """The body of a command: what to change in an incident, and how."""

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
    """Subscribe to every verb that a person may use; `do` executes it, and blocks.

    `queue_group` is the service: any free process of it handles a command.
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
            raise HttpError(422, "name the incident the command is about")
        return await patiently(executor, do, command)

    # FastStream reads the annotation: each verb has a body of its own.
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
    """Return the result of `do`, retried while the incident is still being read."""
    loop = asyncio.get_running_loop()
    for _ in range(ATTEMPTS_MAX):
        try:
            return await loop.run_in_executor(executor, do, *given)
        except (CaseBehindLog, StaleVersion):
            await asyncio.sleep(AGAIN_SECONDS)
    raise HttpError(
        503,
        "much is happening to the incident; nothing was done: send it again",
        code="busy",
        retry_after=1,
    )


Asked = Callable[[CommandRequest[Any], Case, datetime, Known], Sequence[AnyEvent]]
"""The rules: the events of a command, empty if nothing changes; raises `Refused`."""
Owners = Callable[[CommandRequest[Any]], Sequence[str]]
"""The owners of the keys that encrypt the text of a command's events."""


def _who_asks(request: CommandRequest[Any]) -> Sequence[str]:
    return (request.actor,)


@dataclass(frozen=True)
class CommandHandler(Generic[Case, Known]):
    """Answers commands about the incidents about which a service decides.

    First it checks that the streams on which the decision depends are read completely.
    """

    log: EventLog
    worker: Worker[Case, Known]
    clock: Clock
    asked: Asked[Case, Known]
    owners: Owners = _who_asks

    def take(self, request: CommandRequest[Any]) -> CommandAnswer:
        """Return the outcome of a command.

        Raises `HttpError` if it is refused, `EarlierWaits` and `StaleVersion` if it has
        to be retried in a moment, `Unavailable`.
        """
        for owner in self.owners(request):
            self.log.vault.prepare(owner)
        with self.log.transaction() as cursor:
            answer = self._answer(cursor, request)
        if isinstance(answer, Refused):  # journalled, so it is raised after the commit
            raise answer.problem
        self.worker.changed()
        return answer

    def _answer(
        self, cursor: Cursor[tuple[Any, ...]], request: CommandRequest[Any]
    ) -> CommandAnswer | Refused:
        incident = request.incident or ""
        desk = self.worker.desk(cursor, incident)
        if (known := self._before(cursor, request, desk)) is not None:
            return known
        work, before = desk.work, dict(desk.versions)
        require_read(cursor, desk, [*work.follows(incident), *work.owns(incident)])
        at = self.clock()
        try:
            events = self._decided(request, desk, at)
        except Refused as no:
            verb = request.body.verb
            journal(cursor, work.schema, at, request.actor, verb, incident, no)
            return no
        for event in events:
            desk.record(event)
        desk.reach(at, at)
        if not desk.decided:
            return _answered("already", desk, [])
        digest = digest_of(request)
        made = settle(
            self.log, cursor, desk, request.command_id, digest, desk.expected(before)
        )
        done: Done = "recorded" if events else "already"
        return _answered(done, desk, list(range(made.first, made.last + 1)))

    def _before(
        self,
        cursor: Cursor[tuple[Any, ...]],
        request: CommandRequest[Any],
        desk: Desk[Case, Known],
    ) -> CommandAnswer | None:
        """Return the answer to a command recorded before; None for a new one."""
        if request.command_id is None:
            return None
        known = recorded_commands(cursor, [request.command_id])
        match repeated(known, request.command_id, digest_of(request)):
            case Repeated(first, last):
                return _answered("repeated", desk, list(range(first, last + 1)))
            case CommandIdReused():
                raise HttpError(
                    422,
                    "this Idempotency-Key was used for another request: choose a new "
                    "one",
                    code="idempotency_key",
                )
            case None:
                return None

    def _decided(
        self, request: CommandRequest[Any], desk: Desk[Case, Known], at: datetime
    ) -> Sequence[AnyEvent]:
        desk.reach(at, at)
        if desk.case is None:
            raise Refused(f"there is no incident {desk.incident}", "unknown_incident")
        return self.asked(request, desk.case, at, desk.known)


def digest_of(request: CommandRequest[Any]) -> bytes:
    """Return a digest of verb, record and body, which detects a reused command id."""
    wish = request.body
    body = wish.model_dump(mode="json", exclude_unset=True)
    told = [wish.aggregate, wish.verb, request.incident, body]
    if request.record:
        told.append(request.record)
    return sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).digest()


def _answered(
    outcome: Done, desk: Desk[Case, Known], positions: list[int]
) -> CommandAnswer:
    version = desk.versions.get(incident_stream(desk.incident), 0)
    return CommandAnswer(
        outcome=outcome, incident=desk.incident, version=version, positions=positions
    )
