"""Sends commands to the service that owns a record, over NATS request/reply.

A request without an answer is sent again. A process that handles commands may be
frozen, or its machine lost, and the server keeps sending it requests until it notices.
The repeated command reaches another process of the same queue group; its id makes the
repeat harmless, and the first answer counts.

A command of many transactions is sent once: its answer lists what it did itself, and
two processes at the same command would each list a part.
"""

import asyncio
from typing import Any, TypeVar
from uuid import uuid4  # noqa: TID251 # here commands get the keys they come with

import nats.errors
from nats.aio.msg import Msg
from pydantic import BaseModel, ValidationError

from services.projections.api.limits import (
    COMMAND_ATTEMPT_SECONDS,
    COMMAND_ATTEMPTS_MAX,
    COMMAND_SECONDS_MAX,
    RETRY_SECONDS,
)
from shared.http.problem_details import HttpError
from shared.messaging import subjects
from shared.messaging.commands import CommandMessage, ProblemDetails
from shared.messaging.connection import Link


async def first_answer(
    link: Link, subject: str, data: bytes, *, sent_once: bool = False
) -> Msg | None:
    """Return the first answer to a request, None if none came in time.

    Raises `NoRespondersError` if no process can have received it.
    """
    loop = asyncio.get_running_loop()
    attempts_max = 1 if sent_once else COMMAND_ATTEMPTS_MAX
    give_up_at = loop.time() + COMMAND_SECONDS_MAX
    attempts = _Attempts(link, subject, data)
    try:
        for attempt in range(1, attempts_max + 1):
            left = give_up_at - loop.time()
            attempts.send(left)
            last = attempt == attempts_max
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
        self._received_by_nobody = 0
        self._waiting: list[asyncio.Task[Msg]] = []

    def send(self, seconds: float) -> None:
        """Send it once more, unless NATS is disconnected: it would be sent later."""
        client = self._link.client
        if client is not None and seconds > 0:
            request = client.request(self._subject, self._data, timeout=seconds)
            task = asyncio.create_task(request)
            task.add_done_callback(_noticed)
            self._waiting.append(task)
            self._sent += 1

    async def answer(self, seconds: float) -> Msg | None:
        """Return the first answer to any attempt, None after `seconds`.

        Of answers that came together it is that to the earliest attempt, which was done
        as it says: those after it were repeated.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (left := end - loop.time()) > 0:
            if not self._waiting:
                await asyncio.sleep(left)
                continue
            done, _ = await asyncio.wait(
                self._waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            ended = [task for task in self._waiting if task in done]
            self._waiting = [task for task in self._waiting if task not in done]
            for task in ended:
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
        if isinstance(error, nats.errors.NoRespondersError):
            self._received_by_nobody += 1
        nobody = self._received_by_nobody == self._sent
        if nobody or not isinstance(error, nats.errors.Error):
            raise error


def _noticed(task: asyncio.Task[Msg]) -> None:
    """Keep asyncio from reporting errors that came after the first answer."""
    if not task.cancelled():
        task.exception()


Answer = TypeVar("Answer", bound=BaseModel)
_Message = CommandMessage[dict[str, Any]]


class Owner:
    """Sends commands to the services that own the streams of records."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def ask(
        self,
        aggregate: str,
        verb: str,
        message: _Message,
        kind: type[Answer],
        *,
        sent_once: bool = False,
    ) -> Answer:
        """Return the outcome of a command, or the answer to a question.

        `aggregate` names what changes: an `incident`, its `escalation`, a `problem`.
        `sent_once` as in `CommandBody`.
        A command without an idempotency key is given one, so that it can be repeated.
        Raises `HttpError` if it was refused. Without an answer it may have been
        executed, and the 503 says so.
        """
        is_key_ours = message.idempotency_key is None
        if is_key_ours:
            message = message.model_copy(update={"idempotency_key": str(uuid4())})
        if self._link.client is None:
            # A disconnected client would keep it and send it after the refusal.
            raise _not_done("the bus is away")
        try:
            subject = subjects.command(aggregate, verb)
            data = message.model_dump_json().encode()
            reply = await first_answer(self._link, subject, data, sent_once=sent_once)
        except nats.errors.NoRespondersError as error:
            raise _not_done("nobody takes commands at the moment") from error
        if reply is None:
            raise _unknown()
        return _first_outcome(_read(reply.data, kind), is_key_ours)


def _first_outcome(answer: Answer, is_key_ours: bool) -> Answer:
    """Return the answer as it is for the first attempt.

    Nobody but our second attempt can have repeated a key that was made here.
    """
    if is_key_ours and getattr(answer, "outcome", None) == "repeated":
        return answer.model_copy(update={"outcome": "recorded"})
    return answer


def _read(data: bytes, kind: type[Answer]) -> Answer:
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
