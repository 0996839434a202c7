"""Commands over NATS: one subject a verb, answered by whichever process is free.

One command at a time: read the case, ask the rules, record, answer. Blocks.
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
"""Commands of one verb under way together."""
ATTEMPTS_MAX = 100
AGAIN_SECONDS = 0.03
"""How often, and after how long, a command is taken again that came too early."""


class Body(Protocol):
    """The body of a command: it says what it changes of an incident, and how."""

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
    """Subscribe to every verb a person may use; `do` does it, and blocks.

    `queue_group` is the service: whichever of its processes is free takes a command.
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

    # The annotation is what FastStream reads: each verb has a body of its own.
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
    """Return what `do` returns, tried again while the incident is being read."""
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
"""The rules: the events a command makes true, none if it is so; raises `Refused`."""
Owners = Callable[[CommandRequest[Any]], Sequence[str]]
"""Under whose keys the words of a command's events are sealed."""


def _who_asks(request: CommandRequest[Any]) -> Sequence[str]:
    return (request.actor,)


@dataclass(frozen=True)
class CommandHandler(Generic[Case, Known]):
    """Answers commands about the incidents a service decides about.

    A case is read up to the log in the streams its decisions depend on before.
    """

    log: EventLog
    worker: Worker[Case, Known]
    clock: Clock
    asked: Asked[Case, Known]
    owners: Owners = _who_asks

    def take(self, request: CommandRequest[Any]) -> CommandAnswer:
        """Return the outcome of a command.

        Raises `HttpError` where the answer is no, `EarlierWaits` and `StaleVersion`
        where it is to be taken again in a moment, `Unavailable`.
        """
        for owner in self.owners(request):
            self.log.vault.prepare(owner)
        with self.log.transaction() as cursor:
            answer = self._answer(cursor, request)
        if isinstance(answer, Refused):  # journalled, so not raised before the commit
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
    """Return what tells two uses of one command id apart: verb, what about, body."""
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
