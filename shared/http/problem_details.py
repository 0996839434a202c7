"""Refusals over HTTP as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from shared.messaging.commands import ProblemDetails
from shared.validation_messages import said

_RENAMED = {413: "Content Too Large", 422: "Unprocessable Content"}
"""Names from RFC 9110, in Python since 3.13: answers are equal in all versions."""


def phrase(status: int) -> str:
    """Return the reason phrase of a status."""
    return _RENAMED.get(status) or HTTPStatus(status).phrase


class HttpError(Exception):
    """An answer that is a refusal; `detail` says what to do about it."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str | None = None,
        errors: Sequence[dict[str, Any]] = (),
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.headers = headers or {}
        """Additional headers of the answer."""
        self.details = ProblemDetails(
            title=phrase(status),
            status=status,
            detail=detail,
            code=code,
            errors=list(errors),
            retry_after=retry_after,
        )


def headers_of(problem: HttpError) -> dict[str, str]:
    """Return the headers of a refusal in a form that is not ours."""
    return {**problem.headers, **_when_again(problem.details)}


def _when_again(details: ProblemDetails) -> dict[str, str]:
    seconds = details.retry_after
    return {} if seconds is None else {"Retry-After": str(seconds)}


def response(
    details: ProblemDetails, beside: Mapping[str, str] | None = None
) -> Response:
    """Return the HTTP response for a problem, with `Retry-After` if it has one."""
    headers = {**(beside or {}), **_when_again(details)}
    if details.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        details.model_dump_json(exclude_none=True),
        details.status,
        headers,
        "application/problem+json",
    )


def located(error: ValidationError) -> list[dict[str, Any]]:
    """Return a validation error as `errors[{loc, msg, type}]`, without the input."""
    return [
        {"loc": list(e["loc"]), "msg": said(e), "type": e["type"]}
        for e in error.errors(include_input=False, include_url=False)
    ]
