"""Sends commands to the service that owns a record, over NATS request/reply.

A request without an answer is sent again. A process that handles commands may be
frozen, or its machine lost, and the server keeps sending it requests until it notices.
The repeated command reaches another process of the same queue group; its id makes the
repeat harmless, and the first answer counts.
"""

import asyncio
from typing import Any, TypeVar
from uuid import uuid4  # noqa: TID251 # here commands get the keys they come with

import nats.errors
from nats.aio.msg import Msg
from pydantic import ValidationError

from services.projections.api.limits import (
    COMMAND_ATTEMPT_SECONDS,
    COMMAND_ATTEMPTS_MAX,
    COMMAND_SECONDS_MAX,
    RETRY_SECONDS,
)
from shared.domain.commands.contact import Reported
from shared.domain.commands.policy_moves import MovedPage, MovePromises, MoveSeen
from shared.http.problem_details import HttpError
from shared.messaging import subjects
from shared.messaging.commands import (
    CommandAnswer,
    CommandMessage,
    ProblemDetails,
    RecordAnswer,
)
from shared.messaging.connection import Link


async def first_answer(link: Link, subject: str, data: bytes) -> Msg | None:
    """Return the first answer to a request, None if none came in time.

    Raises `NoRespondersError` if no process can have received it.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + COMMAND_SECONDS_MAX
    attempts = _Attempts(link, subject, data)
    try:
        for attempt in range(1, COMMAND_ATTEMPTS_MAX + 1):
            left = give_up_at - loop.time()
            attempts.send(left)
            last = attempt == COMMAND_ATTEMPTS_MAX
            wait = left if last else min(left, COMMAND_ATTEMPT_SECONDS)
            if (answer := await attempts.answer(wait)) is not None:
                return answer
    finally:
        attempts.cancel()
    return None


class _Attempts:
    """The attempts at one request that are in progress."""

    def __init__(self, link: Link, subject: str, data: bytes) -> None:
        self._link = link
        self._subject = subject
        self._data = data
        self._sent = 0
        self._waiting: set[asyncio.Task[Msg]] = set()

    def send(self, seconds: float) -> None:
        """Send it once more, unless NATS is disconnected: it would be sent later."""
        client = self._link.client
        if client is not None and seconds > 0:
            request = client.request(self._subject, self._data, timeout=seconds)
            task = asyncio.create_task(request)
            task.add_done_callback(_noticed)
            self._waiting.add(task)
            self._sent += 1

    async def answer(self, seconds: float) -> Msg | None:
        """Return the first answer to any attempt, None after `seconds`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (left := end - loop.time()) > 0:
            if not self._waiting:
                await asyncio.sleep(left)
                continue
            done, self._waiting = await asyncio.wait(
                self._waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                if (error := task.exception()) is None:
                    return task.result()
                self._failed(error)
        return None

    def cancel(self) -> None:
        """Stop waiting for answers."""
        for task in self._waiting:
            task.cancel()

    def _failed(self, error: BaseException) -> None:
        """Continue with the other attempts; raise if nobody can have received any."""
        nobody = isinstance(error, nats.errors.NoRespondersError)
        if (nobody and self._sent == 1) or not isinstance(error, nats.errors.Error):
            raise error


def _noticed(task: asyncio.Task[Msg]) -> None:
    """Keep asyncio from reporting errors that came after the first answer."""
    if not task.cancelled():
        task.exception()


_Answer = TypeVar("_Answer", CommandAnswer, RecordAnswer, Reported, MovedPage, MoveSeen)
_Moved = TypeVar("_Moved", MovedPage, MoveSeen)
_Message = CommandMessage[dict[str, Any]]


class Owner:
    """Sends commands to the services that own the streams of records."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def ask(
        self, verb: str, request: _Message, aggregate: str = "incident"
    ) -> CommandAnswer:
        """Return the outcome of a command about an incident.

        `aggregate` names what changes: the incident, its `escalation` or `handover`.
        A command without an idempotency key is given one, so that it can be repeated.
        Raises `HttpError` if the command was not executed. Without an answer that is
        unknown, and the 503 says so.
        """
        subject = subjects.command(aggregate, verb)
        return await self._ask(subject, _identified(request), CommandAnswer)

    async def ask_about(
        self, aggregate: str, verb: str, request: _Message
    ) -> RecordAnswer:
        """Return the outcome of a command about a `problem` or `change`, like `ask`."""
        subject = subjects.command(aggregate, verb)
        return await self._ask(subject, _identified(request), RecordAnswer)

    async def move(self, verb: str, request: _Message, kind: type[_Moved]) -> _Moved:
        """Return the outcome of one page of a promise move, or its progress."""
        subject = subjects.command(MovePromises.aggregate, verb)
        return await self._ask(subject, request, kind)

    async def report(self, request: _Message) -> Reported:
        """Return the outcome of a report from the form, like `ask`."""
        subject = subjects.command("contact", "report")
        return await self._ask(subject, request, Reported)

    async def _ask(
        self, subject: str, request: _Message, kind: type[_Answer]
    ) -> _Answer:
        if self._link.client is None:
            # A disconnected client would keep it and send it after the refusal.
            raise _not_done("the bus is away")
        try:
            data = request.model_dump_json().encode()
            reply = await first_answer(self._link, subject, data)
        except nats.errors.NoRespondersError as error:
            raise _not_done("nobody takes commands at the moment") from error
        if reply is None:
            raise _unknown()
        return _read(reply.data, kind)


def _identified(request: _Message) -> _Message:
    """Return a command with an idempotency key, so that a repeat has no effect."""
    if request.idempotency_key is not None:
        return request
    return request.model_copy(update={"idempotency_key": str(uuid4())})


def _read(data: bytes, kind: type[_Answer]) -> _Answer:
    try:
        return kind.model_validate_json(data)
    except ValidationError:
        pass
    try:
        details = ProblemDetails.model_validate_json(data)
    except ValidationError as error:
        raise _unknown() from error
    refused = HttpError(details.status, details.detail)
    refused.details = details
    raise refused


def _not_done(why: str) -> HttpError:
    return HttpError(
        503,
        f"{why}; nothing was done: send it again",
        code="owner_away",
        retry_after=RETRY_SECONDS,
    )


def _unknown() -> HttpError:
    return HttpError(
        503,
        "no answer in time. It may have been done: repeat it with the same "
        "Idempotency-Key, or look at the record before you send it again",
        code="unanswered",
        retry_after=RETRY_SECONDS,
    )
