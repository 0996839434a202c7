"""Answers every error of the API as problem+json, by `shared.http.error_responses`."""

from typing import Any

from anyio import BrokenResourceError
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.projections.api.limits import RETRY_SECONDS
from services.projections.generations import NotBuilt
from services.projections.snapshots import TooSlow
from shared.eventlog.append import TooLarge
from shared.eventlog.batcher import Overloaded
from shared.eventlog.errors import Unavailable
from shared.http.error_responses import UNREADABLE, place_of, problem_of
from shared.http.problem_details import HttpError, response
from shared.validation_messages import said

_SHOWN = ("loc", "msg", "type")


def answer_errors(app: FastAPI) -> None:
    """Make `app` answer every error, expected or not, as problem+json."""
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _of_the_router)
    app.add_exception_handler(NotBuilt, _not_built)
    app.add_exception_handler(TooSlow, _too_slow)
    # Each by its class: the server re-raises what only the `Exception` handler answers.
    for expected in (HttpError, Unavailable, Overloaded, TimeoutError, TooLarge):
        app.add_exception_handler(expected, _any)
    for unreadable in UNREADABLE:
        app.add_exception_handler(unreadable, _any)
    app.add_exception_handler(Exception, _any)


async def _any(request: Request, error: Exception) -> Response:
    return response(problem_of(error, place_of(request)).details)


async def _malformed(_: Request, error: Exception) -> Response:
    found: list[dict[str, Any]] = (
        list(error.errors()) if isinstance(error, RequestValidationError) else []
    )
    errors = [
        {name: one[name] for name in _SHOWN} | {"msg": said(one)} for one in found
    ]
    named = "; ".join(
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in errors
    )
    return response(
        HttpError(
            422, f"not understood: {named}", code="invalid", errors=errors
        ).details
    )


async def _of_the_router(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    sentences = {
        404: f"there is nothing at {request.url.path}: see /openapi.json",
        405: f"{request.method} is not for {request.url.path}: see /openapi.json",
    }
    answer = response(HttpError(status, sentences.get(status, str(error))).details)
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)
    return answer


async def _too_slow(_: Request, error: Exception) -> Response:
    return response(
        HttpError(
            503,
            f"{error}: narrow it by a queue, a service or longer words, or come again",
            code="too_slow",
            retry_after=RETRY_SECONDS,
        ).details
    )


async def _not_built(_: Request, error: Exception) -> Response:
    return response(
        HttpError(503, str(error), code="not_built", retry_after=RETRY_SECONDS).details
    )


class HungUp:
    """Middleware for streams: ignores the error of a client that disconnected."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application; a disconnected client is not an error."""
        try:
            await self._app(scope, receive, send)
        except* BrokenResourceError:
            pass
