"""Handles commands over NATS: one subject for each verb, answered by any free process.

For each command: read the case, apply the rules, record the events, answer. Blocks.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from shared.clock import Clock
from shared.commands.refusals import (
    Refusal,
    answer_to,
    digest_of,
    journal,
    misused,
    moved,
)
from shared.commands.subscriber import Body, CommandSet, CommandSubscriber
from shared.database.cursors import Cursors
from shared.domain.events import AnyEvent
from shared.domain.identifiers import incident_stream
from shared.domain.refusal import Refused
from shared.eventlog.append import (
    CommandIdReused,
    Repeated,
    recorded_commands,
    repeated,
)
from shared.eventlog.errors import StaleVersion
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandAnswer, CommandRequest, Done
from shared.process_manager.process import Case, Desk, Known
from shared.process_manager.worker import CaseBehindLog, Worker, require_read, settle
from shared.threads import in_thread

_Done = TypeVar("_Done")
Do = Callable[[CommandRequest[Any]], CommandAnswer]
AT_ONCE_MAX = 8
"""The maximum number of concurrent commands of one verb."""
ATTEMPTS_MAX = 100
AGAIN_SECONDS = 0.03
"""How often, and after what delay, a command that came too early is retried."""


def listen(
    subscriber: CommandSubscriber,
    do: Do,
    executor: Executor,
    bodies: Collection[type[Body]],
) -> None:
    """Subscribe to every verb that a person may use; `do` executes it, and blocks.

    What is to be previewed, `do` decides without recording it.
    """
    commands = CommandSet(bodies, CommandAnswer, at_once=AT_ONCE_MAX, previews=True)

    async def handle(command: CommandRequest[Any]) -> CommandAnswer:
        if command.incident is None:
            raise HttpError(422, "name the incident the command is about")
        return await patiently(executor, do, command)

    subscriber.subscribe(commands, handle)


async def patiently(
    executor: Executor, do: Callable[..., _Done], *given: object
) -> _Done:
    """Return the result of `do`, retried while the incident is still being read."""
    for _ in range(ATTEMPTS_MAX):
        try:
            return await in_thread(executor, do, *given)
        except (CaseBehindLog, StaleVersion):
            await asyncio.sleep(AGAIN_SECONDS)
    raise HttpError(
        503,
        "much is happening to the incident; nothing was done: send it again",
        code="busy",
        retry_after=1,
    )


Decide = Callable[[CommandRequest[Any], Case, datetime, Known], Sequence[AnyEvent]]
"""The rules: the events of a command, empty if nothing changes; raises `Refused`."""
Owners = Callable[[CommandRequest[Any]], Sequence[str]]
"""The owners of the keys that encrypt the text of a command's events."""


RequireCited = Callable[[Cursors, CommandRequest[Any]], None]
"""Raises `Refused` if the log does not have what a command cites; after the rules, and
for a preview as well."""


def _sender(request: CommandRequest[Any]) -> Sequence[str]:
    return (request.actor,)


def _nothing_cited(_cursor: object, _request: object) -> None:
    pass


@dataclass(frozen=True)
class CommandHandler(Generic[Case, Known]):
    """Answers commands about the incidents about which a service decides.

    First it checks that the streams on which the decision depends are read completely.
    """

    log: EventLog
    worker: Worker[Case, Known]
    clock: Clock
    decide: Decide[Case, Known]
    owners: Owners = _sender
    require_cited: RequireCited = _nothing_cited

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
            raise answer_to(answer)
        if not request.preview:
            self.worker.changed()
            self.worker.appended()
        return answer

    def _answer(
        self, cursor: Cursors, request: CommandRequest[Any]
    ) -> CommandAnswer | Refused:
        incident = request.incident or ""
        desk = self.worker.desk(cursor, incident)
        if (known := self._before(cursor, request, desk)) is not None:
            return known
        work, before = desk.work, dict(desk.versions)
        require_read(cursor, desk, [*work.follows(incident), *work.owns(incident)])
        _require_match(request, desk)
        at = self.clock()
        try:
            events = self._decided(request, desk, at)
            self.require_cited(cursor, request)
        except Refused as no:
            if not request.preview:
                refusal = Refusal(at, request.actor, request.body.verb, incident, no)
                journal(cursor, work.schema, refusal)
            return no
        if request.preview:
            return _answered("would_record" if events else "already", desk, [])
        for event in events:
            desk.record(event)
        desk.reach(at, at)
        if not desk.decided:
            return _answered("already", desk, [])
        digest = digest_of_request(request)
        made = settle(
            self.log, cursor, desk, request.command_id, digest, desk.expected(before)
        )
        done: Done = "recorded" if events else "already"
        return _answered(done, desk, list(range(made.first, made.last + 1)))

    def _before(
        self,
        cursor: Cursors,
        request: CommandRequest[Any],
        desk: Desk[Case, Known],
    ) -> CommandAnswer | None:
        """Return the answer to a command recorded before; None for a new one."""
        if request.command_id is None:
            return None
        known = recorded_commands(cursor, [request.command_id])
        match repeated(known, request.command_id, digest_of_request(request)):
            case Repeated(first, last):
                return _answered("repeated", desk, list(range(first, last + 1)))
            case CommandIdReused():
                raise misused()
            case None:
                return None

    def _decided(
        self, request: CommandRequest[Any], desk: Desk[Case, Known], at: datetime
    ) -> Sequence[AnyEvent]:
        desk.reach(at, at)
        if desk.case is None:
            raise Refused(f"there is no incident {desk.incident}", "unknown_incident")
        return self.decide(request, desk.case, at, desk.known)


def digest_of_request(request: CommandRequest[Any]) -> bytes:
    """Return the digest of a command, which detects a reused command id."""
    body = request.body
    record = [request.record] if request.record else []
    return digest_of(body.aggregate, body.verb, request.incident, body, *record)


def _require_match(request: CommandRequest[Any], desk: Desk[Case, Known]) -> None:
    """Raise `HttpError` 412 if the incident is not at the version of `If-Match`."""
    version = desk.versions.get(incident_stream(desk.incident), 0)
    if request.if_match is not None and request.if_match != version:
        raise moved(request.if_match, version)


def _answered(
    outcome: Done, desk: Desk[Case, Known], positions: list[int]
) -> CommandAnswer:
    version = desk.versions.get(incident_stream(desk.incident), 0)
    return CommandAnswer(
        outcome=outcome, incident=desk.incident, version=version, positions=positions
    )
