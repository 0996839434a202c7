"""An endpoint that always answers: an error becomes problem+json, never a traceback."""

import secrets
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response

from shared.append import TooLarge
from shared.batcher import Overloaded
from shared.event_log import Unavailable
from shared.problem import Problem, response

Endpoint = Callable[[Request], Awaitable[Response]]

RETRY_SECONDS = 2
"""What `Retry-After` says while PostgreSQL is away."""

_log = structlog.get_logger(__name__)


def answered(endpoint: Endpoint) -> Endpoint:
    """Return `endpoint` with every error of it answered."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Exception as error:  # noqa: BLE001 # nobody behind us would answer
            return response(problem_of(error, request.url.path).details)

    return answer


def problem_of(error: Exception, where: str) -> Problem:
    """Return what to answer for any error; only an unexpected one is logged."""
    match error:
        case Problem():
            return error
        case Unavailable():
            return Problem(
                503,
                "the event log is away; nothing was recorded: send it again",
                code="log_away",
                retry_after=RETRY_SECONDS,
            )
        case Overloaded():
            return Problem(
                429,
                "too much is waiting; nothing was recorded: send it again",
                code="overloaded",
                retry_after=1,
            )
        case TooLarge():
            return Problem(413, f"too large to record: {error}", code="too_large")
        case _:
            return _unexpected(error, where)


def _unexpected(error: Exception, where: str) -> Problem:
    number = secrets.token_hex(4)
    _log.error(
        "answer.unexpected",
        where=where,
        number=number,
        error=f"{type(error).__name__}: {error}"[:500],
        at=_innermost(error),
    )
    return Problem(
        500,
        f"this is our mistake, noted in the log as {number}: tell the operator",
        code="unexpected",
    )


def _innermost(error: Exception) -> str:
    """Return file and line where an error arose, which a traceback would say last."""
    trace = error.__traceback__
    if trace is None:
        return "?"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
