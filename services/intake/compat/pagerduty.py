"""PagerDuty-compatible endpoints: Events API v2 and change events.

The source's key replaces the routing key. Answers have PagerDuty's form, which its
clients understand: 202, 400 with `errors`, 403, 413, 429 and 5xx.
"""

from http import HTTPStatus

import orjson
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.endpoint_context import EndpointContext
from services.intake.gate.api_keys import bearer
from services.intake.signals.body import BODY_BYTES_MAX, read_json
from shared.http.bodies import read_body
from shared.http.error_responses import answered
from shared.http.json_answer import json_answer
from shared.http.problem_details import HttpError, headers_of, phrase

_HEADER = "x-routing-key"
_KEY = "routing_key"
_REMOVED = "removed"
_SAID_AS_IT_IS = frozenset({403, 413, 429})
_INVALID = {"status": "invalid event", "message": "Event object is invalid"}
_THROTTLED = {
    "status": "throttle exceeded",
    "message": "Events come faster than they are recorded: retry later",
}


def routes(context: EndpointContext) -> list[Route]:
    """Return the two routes; each always answers in PagerDuty's form."""

    def route(path: str, kind: str, said: str) -> Route:
        async def endpoint(request: Request) -> Response:
            return await _enqueue(context, request, kind, said)

        taken = answered(context.gate.bounded(endpoint), say=_no)
        return Route(path, taken, methods=["POST"])

    return [
        route("/v2/enqueue", "pagerduty_events", "Event processed"),
        route("/v2/change/enqueue", "pagerduty_changes", "Change event processed"),
    ]


async def _enqueue(
    context: EndpointContext, request: Request, kind: str, said: str
) -> Response:
    source, in_body = await _admitted(context, request, kind)
    body = await read_body(request, BODY_BYTES_MAX)
    document = read_json(body)
    if in_body is not None and _key(document) != in_body:
        raise HttpError(400, f"there is more than one `{_KEY}`: send one")
    (result,) = await context.reception.receive(
        source,
        kind,
        _without_key(body, document),
        document,
        request.headers.get("idempotency-key"),
        told=True,
    )
    if result.status == "rejected":
        raise HttpError(400, result.error or "the event cannot be taken")
    answer = {"status": "success", "message": said}
    if result.dedup_key:
        answer["dedup_key"] = result.dedup_key
    return json_answer(answer, HTTPStatus.ACCEPTED)


async def _admitted(
    context: EndpointContext, request: Request, kind: str
) -> tuple[str, str | None]:
    """Return the source, and its key if that is in the body."""
    key = request.headers.get(_HEADER) or bearer(request)
    if key:
        return await context.gate.admit(request, key, kind), None
    return await context.gate.admit_by_body(request, _KEY, _key_in, kind)


def _key_in(beginning: bytes) -> str | None:
    """Return the key in the beginning of a body, or None if it is not there.

    Raises `HttpError` 400 if no JSON document can begin like this.
    """
    try:
        document = from_json(beginning, allow_partial=True)
    except ValueError as error:
        raise HttpError(
            400, f"the body is not JSON: {error}", code="not_json"
        ) from error
    return _key(document)


def _key(document: object) -> str | None:
    key = document.get(_KEY) if isinstance(document, dict) else None
    return key if isinstance(key, str) else None


def _without_key(body: bytes, document: object) -> bytes:
    """Return the body to store, without the key."""
    if not isinstance(document, dict) or _KEY not in document:
        return body
    return orjson.dumps({**document, _KEY: _REMOVED})


def _no(problem: HttpError) -> Response:
    """Return a refusal in PagerDuty's form; errors of the sender become 400."""
    details = problem.details
    status = details.status
    if status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _SAID_AS_IT_IS:
        status = HTTPStatus.BAD_REQUEST
    match status:
        case HTTPStatus.BAD_REQUEST:
            said = _INVALID
        case HTTPStatus.TOO_MANY_REQUESTS:
            said = _THROTTLED
        case _:
            said = {"status": phrase(status).lower(), "message": details.detail}
    answer = {**said, "errors": [details.detail]}
    return json_answer(answer, status, headers_of(problem))
