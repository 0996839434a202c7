"""Takes commands on parked events, in the service whose reader parked them.

The command is stored as a request to the reader, which executes it with its own rules.
Who asked is known from the credential, which the service has verified itself.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, assert_never

from shared.commands.refusals import misused
from shared.commands.subscriber import CommandSet, CommandSubscriber
from shared.domain.commands.parked_event import (
    BODIES,
    ParkedAnswer,
    ParkedCommand,
    ParkedOutcome,
    RetryParked,
    SkipParked,
)
from shared.eventlog.log import EventLog
from shared.eventlog.readers.parked_commands import (
    Answer,
    Conflict,
    IdReused,
    Outcome,
    ParkedRequest,
    answer_of,
    ask,
)
from shared.eventlog.readers.position import Bookmark
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest, Scope
from shared.threads import in_thread

ADMINISTRATORS: tuple[Scope, ...] = ("admin",)
"""The scopes whose holders may retry and skip parked events."""
AT_ONCE_MAX = 2
"""Commands of one verb that wait for the reader at the same time."""
LOOK_SECONDS = 0.1
LOOKS_MAX = 50
"""How often it is looked whether the reader has answered."""

OUTCOMES: Mapping[Outcome, ParkedOutcome] = {
    "applied": "applied",
    "skipped": "skipped",
    "still parked": "still_parked",
    "nothing parked": "nothing_parked",
}
"""What the API calls the outcomes that are stored."""


@dataclass(frozen=True)
class ParkedDesk:
    """Takes commands about the readers of a service, by their names."""

    log: EventLog
    reader: Callable[[str], Bookmark | None]
    executor: Executor

    async def take(self, request: CommandRequest[Any]) -> ParkedAnswer:
        """Return what the reader did, or `waiting` if it does not answer in time.

        Raises `HttpError` 404 for a reader of another service, 409 if something else is
        asked about the stream, 422 for a command id of another command, `Unavailable`.
        """
        body: ParkedCommand = request.body
        bookmark = self.reader(body.reader)
        if bookmark is None:
            raise unknown_reader(body.reader)
        wanted = _wanted(bookmark, request)
        number = await in_thread(self.executor, self._ask, wanted)
        for _ in range(LOOKS_MAX):
            answer = await in_thread(self.executor, self._look, bookmark, number)
            if answer is not None:
                return _answered(body, answer)
            await asyncio.sleep(LOOK_SECONDS)
        return ParkedAnswer(reader=body.reader, stream=body.stream, outcome="waiting")

    def _ask(self, wanted: ParkedRequest) -> int:
        with self.log.transaction() as cursor:
            try:
                return ask(cursor, wanted)
            except IdReused as error:
                raise misused() from error
            except Conflict as error:
                raise HttpError(409, str(error), code="state") from error

    def _look(self, bookmark: Bookmark, number: int) -> Answer | None:
        with self.log.transaction() as cursor:
            return answer_of(cursor, bookmark, number)


def of_one(bookmark: Bookmark) -> Callable[[str], Bookmark | None]:
    """Return what finds the reader of a service that has only this one."""
    return lambda name: bookmark if name == bookmark.reader else None


def unknown_reader(name: str) -> HttpError:
    """Return the answer about a reader that does not exist."""
    return HttpError(404, f"there is no reader {name}", code="unknown_reader")


def listen_for_parked_events(
    subscriber: CommandSubscriber, desk: ParkedDesk, aggregate: str
) -> None:
    """Subscribe to the commands about the parked events of a service."""
    commands = CommandSet(
        BODIES.values(),
        ParkedAnswer,
        at_once=AT_ONCE_MAX,
        scopes=ADMINISTRATORS,
        aggregate=aggregate,
    )
    subscriber.subscribe(commands, desk.take)


def _wanted(bookmark: Bookmark, request: CommandRequest[Any]) -> ParkedRequest:
    body: ParkedCommand = request.body
    by, command_id = request.actor, request.command_id
    match body:
        case RetryParked(stream=stream):
            return ParkedRequest(bookmark, stream, "retry", by, command_id=command_id)
        case SkipParked(stream=stream, position=position, reason=reason):
            return ParkedRequest(
                bookmark,
                stream,
                "skip",
                by,
                reason=reason,
                position=position,
                command_id=command_id,
            )
        case _:
            assert_never(body)


def _answered(body: ParkedCommand, answer: Answer) -> ParkedAnswer:
    return ParkedAnswer(
        reader=body.reader,
        stream=body.stream,
        outcome=OUTCOMES[answer.outcome],
        skipped=answer.skipped or 0,
        applied=answer.applied or 0,
        error=answer.error,
    )
