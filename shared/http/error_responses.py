"""Turns every error into problem+json, never a traceback, also for unknown routes."""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec, Protocol, TypeVar

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from shared.domain.incident import BrokenHistory
from shared.eventlog.append import TooLarge
from shared.eventlog.batcher import Overloaded
from shared.eventlog.codec import UnknownEvent
from shared.eventlog.documents import UnreadableDocument
from shared.eventlog.errors import NotContinued, WrongClock, is_unavailable
from shared.http.problem_details import HttpError, response
from shared.vault.vault import VaultError

PATH_SHOWN = 256


def complete(routes: Sequence[Route]) -> list[Route]:
    """Return `routes` and, as the last one, a route for all other requests."""
    rest = Route("/{path:path}", _NothingHere(routes))
    # A path may contain a newline (%0A), at which the usual pattern stops.
    rest.path_regex = re.compile(f"(?s){rest.path_regex.pattern}")
    return [*routes, rest]


@dataclass(frozen=True)
class _NothingHere:
    """The endpoint for unknown paths and for methods that are not allowed."""

    routes: Sequence[Route]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        path = request.url.path[:PATH_SHOWN]
        near = [r for r in self.routes if r.matches(scope)[0] is not Match.NONE]
        methods = sorted({method for route in near for method in route.methods or ()})
        there_is = ", ".join(dict.fromkeys(route.path for route in self.routes))
        no = (
            HttpError(
                405, f"{request.method} is not for {path}: {', '.join(methods)} is"
            )
            if near
            else HttpError(404, f"there is nothing at {path}: there is {there_is}")
        )
        answer = response(no.details)
        if near:
            answer.headers["Allow"] = ", ".join(methods)
        await answer(scope, receive, send)


Endpoint = Callable[[Request], Awaitable[Response]]
_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")


class Blocking(Protocol):
    """Runs a blocking call on one of a few threads."""

    async def __call__(
        self,
        call: Callable[_Given, _Answer],
        *args: _Given.args,
        **kwargs: _Given.kwargs,
    ) -> _Answer:
        """Return the result of the call."""
        ...


ANSWER_SECONDS = 15.0
"""The timeout of a request that waits for PostgreSQL, which may hang."""
RETRY_SECONDS = 2
"""`Retry-After` while PostgreSQL is unavailable."""
CLOCK_RETRY_SECONDS = 10
"""`Retry-After` while the clock of this host is wrong."""
UNREADABLE_SECONDS = 60
"""`Retry-After` for a record of a later version or without its key."""
UNREADABLE = (UnknownEvent, VaultError, BrokenHistory)
"""The errors of reading a record of a later version, one without its key, or one whose
events cannot have happened in their order."""
NOT_CONTINUED_SECONDS = 10
"""`Retry-After` while the log is discontinued, which a person must resolve."""

_log = structlog.get_logger(__name__)


def told(problem: HttpError) -> Response:
    """Return a refusal as an `application/problem+json` response."""
    return response(problem.details, problem.headers)


def answered(
    endpoint: Endpoint,
    seconds: float = ANSWER_SECONDS,
    say: Callable[[HttpError], Response] = told,
) -> Endpoint:
    """Return `endpoint` with all errors answered, and a 503 after `seconds`.

    `say` renders a refusal in the form that the callers of this endpoint expect.
    """

    async def answer(request: Request) -> Response:
        try:
            async with asyncio.timeout(seconds):
                return await endpoint(request)
        except Exception as error:  # noqa: BLE001 # nobody behind us would answer
            return say(problem_of(error, place_of(request)))

    return answer


def place_of(request: Request) -> str:
    """Return the path of a request for a log, without parameters such as keys."""
    path = request.url.path
    for name, value in request.path_params.items():
        if value:
            path = path.replace(str(value), f"{{{name}}}")
    return path


def problem_of(error: Exception, where: str) -> HttpError:
    """Return the answer for any error; only errors that we may have made are logged."""
    match error:
        case HttpError():
            return error
        case _ if isinstance(error, UNREADABLE) or is_unavailable(error):
            if isinstance(error, BrokenHistory):
                _log.error("answer.impossible", where=where, exc_info=error)
            return _unavailable(error)
        case Overloaded():
            return HttpError(
                429,
                "too much is waiting; nothing was recorded: send it again",
                code="overloaded",
                retry_after=1,
            )
        case TimeoutError():
            return HttpError(
                503,
                "the event log does not answer; it may be recorded all the same: "
                "send it again with the same event id or Idempotency-Key",
                code="log_silent",
                retry_after=RETRY_SECONDS,
            )
        case TooLarge():
            return HttpError(413, f"too large to record: {error}", code="too_large")
        case _:
            return _unexpected(error, where)


def _unavailable(error: Exception) -> HttpError:
    sentence, code = (
        "the event log is away; nothing was recorded: send it again",
        "log_away",
    )
    wait = RETRY_SECONDS
    match error:
        case NotContinued():
            sentence = (
                "the event log was restored to an earlier state; nothing was recorded: "
                "an operator runs `permanence restored`, then send it again"
            )
            code, wait = "log_not_continued", NOT_CONTINUED_SECONDS
        case UnknownEvent() | VaultError() | BrokenHistory():
            why = f"{type(error).__name__}: {error}"
            sentence = (
                f"a record cannot be read at present: {why}. Nothing was recorded: "
                "send it again later"
            )
            code, wait = "record_unreadable", UNREADABLE_SECONDS
        case UnreadableDocument():
            sentence, code = f"nothing was recorded: {error}", "policy_unreadable"
        case WrongClock():
            sentence = f"nothing was recorded, send it again: {error}"
            code, wait = "clock_wrong", CLOCK_RETRY_SECONDS
        case _:
            pass
    return HttpError(503, sentence, code=code, retry_after=wait)


def _unexpected(error: Exception, where: str) -> HttpError:
    number = secrets.token_hex(4)
    _log.error("answer.unexpected", where=where, number=number, exc_info=error)
    return HttpError(
        500,
        f"this is our mistake, noted in the log as {number}: tell the operator",
        code="unexpected",
    )
