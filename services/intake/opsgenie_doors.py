"""Opsgenie's Alert API, for senders that have to move: create, close, acknowledge.

https://docs.opsgenie.com/docs/alert-api

The key of the source stands where the API key stood. Answers have Opsgenie's form. What
it can and a desk means otherwise is refused with a sentence that says what to do.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.adapters.opsgenie import severity_of
from services.intake.callers import bearer
from services.intake.doors import Doors
from services.intake.opsgenie_names import (
    Asked,
    alert_id,
    alias_of,
    asked_in,
    request_id,
)
from services.intake.opsgenie_refusals import instead_of
from services.intake.outcomes import Became, find_request
from services.intake.reading import BODY_BYTES_MAX, read_json
from services.intake.signals import default_dedup_key
from shared.http.bodies import read_body
from shared.http.error_responses import answered
from shared.http.problem_details import HttpError

_ADAPTER = "opsgenie"
_SCHEME = "geniekey"
_TAKEN = {"close": "Close", "acknowledge": "Acknowledge", "notes": "AddNote"}
_DONE = frozenset({"opened", "signalled", "recovered", "duplicate"})
_ALL = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def routes(doors: Doors) -> list[Route]:
    """Return the doors, each of which always answers in Opsgenie's form."""

    def route(
        path: str, door: Callable[[Doors, Request], Awaitable[Response]], *methods: str
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            return await door(doors, request)

        return Route(
            path, answered(doors.gate.bounded(endpoint), say=_no), methods=list(methods)
        )

    return [
        route("/v2/alerts", _create, "POST"),
        route("/v2/alerts/requests/{request_id}", _status, "GET"),
        route("/v2/alerts/{identifier:path}/{action}", _act, "POST"),
        route("/v2/alerts", _refuse, *_ALL),
        route("/v2/alerts/{rest:path}", _refuse, *_ALL),
    ]


async def _create(doors: Doors, request: Request) -> Response:
    source = await doors.gate.admit(request, _key(request), _ADAPTER)
    alert = await _body(request)
    _require(alert)
    alias = alert.get("alias")
    if alias is None or alias == "":
        alias = default_dedup_key(source, alert.get("entity"), alert.get("message"))
    return await _asked(doors, request, source, "Create", {**alert, "alias": alias})


async def _act(doors: Doors, request: Request) -> Response:
    action = _TAKEN.get(request.path_params["action"])
    if action is None:
        return await _refuse(doors, request)
    source = await doors.gate.admit(request, _key(request), _ADAPTER)
    alert = {**await _body(request), "alias": _alias(request)}
    return await _asked(doors, request, source, action, alert)


async def _asked(
    doors: Doors, request: Request, source: str, action: str, alert: dict[str, Any]
) -> Response:
    """Take what was asked of an alert, as a webhook would have told it."""
    began = time.monotonic()
    document = {"action": action, "alert": alert}
    event_id = request.headers.get("idempotency-key") or secrets.token_hex(12)
    (result,) = await doors.reception.receive(
        source, _ADAPTER, orjson.dumps(document), document, event_id, told=True
    )
    if result.status == "rejected":
        raise HttpError(422, result.error or "the alert cannot be taken")
    asked = Asked(action, event_id, alert["alias"])
    said = {"result": "Request will be processed"}
    return _json(
        {**said, "took": _since(began), "requestId": request_id(asked)},
        HTTPStatus.ACCEPTED,
    )


async def _status(doors: Doors, request: Request) -> Response:
    """Tell the outcome of a request, and the id of its alert."""
    began = time.monotonic()
    source = await doors.gate.source(request, _key(request))
    given = request.path_params["request_id"]
    asked = asked_in(given)
    found = None
    if asked and "\x00" not in asked.event_id:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            doors.executor, find_request, doors.log, source, asked.event_id
        )
    if asked is None or found is None:
        raise HttpError(404, "no such request of yours in the last days: send it")
    data = _became(asked, found, source)
    return _json({"data": data, "took": _since(began), "requestId": given})


async def _refuse(doors: Doors, request: Request) -> Response:
    if request.method == "GET":
        await doors.gate.source(request, _key(request))
    else:
        await doors.gate.admit(request, _key(request), _ADAPTER)
    raise instead_of(request.method, request.url.path)


def _became(asked: Asked, found: Became, source: str) -> dict[str, object]:
    done = found.status in _DONE
    return {
        "success": done,
        "isSuccess": done,
        "action": asked.action,
        "processedAt": found.received_at,
        "integrationId": source,
        "status": found.reason or found.status,
        "alertId": alert_id(asked.alias),
        "alias": asked.alias,
        "incident": found.incident,
    }


def _key(request: Request) -> str | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == _SCHEME else bearer(request)


async def _body(request: Request) -> dict[str, Any]:
    body = await read_body(request, BODY_BYTES_MAX)
    document = read_json(body) if body else {}
    if not isinstance(document, dict):
        raise HttpError(422, "the body is a JSON object")
    return document


def _require(alert: dict[str, Any]) -> None:
    priority = alert.get("priority")
    if priority is not None and severity_of(priority) is None:
        raise HttpError(422, "`priority` is P1, P2, P3, P4 or P5")
    if not isinstance(alert.get("message"), str) or not alert["message"].strip():
        raise HttpError(422, "`message` cannot be empty")


def _alias(request: Request) -> str:
    identifier: str = request.path_params["identifier"]
    match request.query_params.get("identifierType", "id").lower():
        case "alias":
            alias: str | None = identifier
        case "id":
            alias = alias_of(identifier)
        case _:
            raise HttpError(
                422, "alerts have no tiny id here: use identifierType=alias or id"
            )
    if not alias:
        raise HttpError(
            422,
            "this is the id of no alert: take `alertId` from the request's status, or "
            "add `?identifierType=alias`",
        )
    return alias


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)


def _no(problem: HttpError) -> Response:
    details = problem.details
    said = {"message": details.detail, "took": 0.0, "requestId": secrets.token_hex(12)}
    answer = _json(said, details.status)
    answer.headers.update(problem.headers)
    if details.retry_after is not None:
        answer.headers["Retry-After"] = str(details.retry_after)
    return answer


def _json(content: object, status: int = HTTPStatus.OK) -> Response:
    text = orjson.dumps(content, option=orjson.OPT_UTC_Z)
    return Response(text, status, media_type="application/json")
