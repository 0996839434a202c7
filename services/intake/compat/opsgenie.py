"""An Opsgenie-compatible Alert API: create, close, acknowledge and add notes.

https://docs.opsgenie.com/docs/alert-api

The source's key replaces the API key. Answers have Opsgenie's form. Actions that a
source cannot perform here are refused with a sentence that says what to do instead.

Ids are not stored: an alert's id encodes its alias, and a request's id encodes the
request, so they never expire.
"""

import base64
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.endpoint_context import EndpointContext
from services.intake.gate.api_keys import bearer
from services.intake.records.signal import default_dedup_key
from services.intake.signals.body import BODY_BYTES_MAX, read_json
from services.intake.signals.formats.opsgenie import severity_of
from services.intake.signals.outcomes import StoredOutcome, find_request
from shared.http.bodies import read_body
from shared.http.error_responses import answered
from shared.http.json_answer import json_answer
from shared.http.problem_details import HttpError, headers_of
from shared.threads import in_thread

_ALERT = "alert-"


class OpsgenieRequest(NamedTuple):
    """The content of a request: its action, its event id and the alert's alias."""

    action: str
    event_id: str
    alias: str


def alert_id(alias: str) -> str:
    """Return the id of the alert with this alias."""
    return _ALERT + _coded(alias.encode())


def alias_of(given: str) -> str | None:
    """Return the alias of the alert with this id, or None if it is not one of ours."""
    if not given.startswith(_ALERT):
        return None
    try:
        return _decoded(given.removeprefix(_ALERT)).decode()
    except ValueError:
        return None


def request_id(asked: OpsgenieRequest) -> str:
    """Return the id of a request."""
    return _coded(orjson.dumps(list(asked)))


def asked_in(given: str) -> OpsgenieRequest | None:
    """Return the request with this id, or None if it is not one of ours."""
    try:
        match orjson.loads(_decoded(given)):
            case [str(action), str(event_id), str(alias)]:
                return OpsgenieRequest(action, event_id, alias)
            case _:
                return None
    except ValueError:
        return None


def _coded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)


_AGAIN = "create the alert again with the same alias: what is new in it is told"
_PEOPLE = "people do this at the incident, with a token of their own"
_INSTEAD: Mapping[str, str] = {
    "unacknowledge": f"an acknowledgement is not taken back: {_PEOPLE}",
    "snooze": f"a source cannot put its own alert to sleep: {_PEOPLE} (`pause`)",
    "assign": f"a source assigns nobody: {_PEOPLE} (`assign`)",
    "escalate": f"the policy escalates; by hand, {_PEOPLE} (`escalate`)",
    "responders": "who is asked is said by the policy's escalation, not by the alert",
    "teams": "which team is asked is said by the policy, by the alert's service",
    "tags": f"tags are part of an alert: {_AGAIN}",
    "details": f"details are part of an alert: {_AGAIN}",
    "priority": f"a priority is part of an alert: {_AGAIN}",
    "message": f"the message is part of an alert: {_AGAIN}",
    "description": f"the description is part of an alert: {_AGAIN}",
    "attachments": "files are not taken: put a link into `details`",
    "actions": "custom actions are not known here: use `close` or `acknowledge`",
}


def instead_of(method: str, path: str) -> HttpError:
    """Return the refusal of an Opsgenie request that is not supported."""
    if method == "GET":
        return HttpError(
            404,
            "alerts are not read here: read GET /v1/queues/all/incidents with a "
            "person's token, or the outcome of a request at "
            "GET /v2/alerts/requests/{requestId}",
        )
    steps = path.rstrip("/").split("/")
    for step in (steps[-1], steps[-2]):
        if step in _INSTEAD:
            return HttpError(422, _INSTEAD[step])
    if method == "DELETE":
        return HttpError(422, "nothing is deleted here: close the alert")
    return HttpError(
        422, "this is not known here: POST to /v2/alerts, or to its `close`"
    )


_ADAPTER = "opsgenie"
_SCHEME = "geniekey"
_TAKEN = {"close": "Close", "acknowledge": "Acknowledge", "notes": "AddNote"}
_DONE = frozenset({"opened", "signalled", "recovered", "duplicate"})
_ALL = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def routes(context: EndpointContext) -> list[Route]:
    """Return the routes; each always answers in Opsgenie's form."""

    def route(
        path: str,
        door: Callable[[EndpointContext, Request], Awaitable[Response]],
        *methods: str,
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            return await door(context, request)

        return Route(
            path,
            answered(context.gate.bounded(endpoint), say=_no),
            methods=list(methods),
        )

    return [
        route("/v2/alerts", _create, "POST"),
        route("/v2/alerts/requests/{request_id}", _status, "GET"),
        route("/v2/alerts/{identifier:path}/{action}", _act, "POST"),
        route("/v2/alerts", _refuse, *_ALL),
        route("/v2/alerts/{rest:path}", _refuse, *_ALL),
    ]


async def _create(context: EndpointContext, request: Request) -> Response:
    source = await context.gate.admit(request, _key(request), _ADAPTER)
    alert = await _body(request)
    _require(alert)
    alias = alert.get("alias")
    if alias is None or alias == "":
        alias = default_dedup_key(source, alert.get("entity"), alert.get("message"))
    return await _asked(context, request, source, "Create", {**alert, "alias": alias})


async def _act(context: EndpointContext, request: Request) -> Response:
    action = _TAKEN.get(request.path_params["action"])
    if action is None:
        return await _refuse(context, request)
    source = await context.gate.admit(request, _key(request), _ADAPTER)
    alert = {**await _body(request), "alias": _alias(request)}
    return await _asked(context, request, source, action, alert)


async def _asked(
    context: EndpointContext,
    request: Request,
    source: str,
    action: str,
    alert: dict[str, Any],
) -> Response:
    """Process an action on an alert as if a webhook had reported it."""
    began = time.monotonic()
    document = {"action": action, "alert": alert}
    event_id = request.headers.get("idempotency-key") or secrets.token_hex(12)
    (result,) = await context.reception.receive(
        source, _ADAPTER, orjson.dumps(document), document, event_id, told=True
    )
    if result.status == "rejected":
        raise HttpError(422, result.error or "the alert cannot be taken")
    asked = OpsgenieRequest(action, event_id, alert["alias"])
    said = {"result": "Request will be processed"}
    return json_answer(
        {**said, "took": _since(began), "requestId": request_id(asked)},
        HTTPStatus.ACCEPTED,
    )


async def _status(context: EndpointContext, request: Request) -> Response:
    """Return the result of a request, and the id of its alert."""
    began = time.monotonic()
    source = await context.gate.source(request, _key(request))
    given = request.path_params["request_id"]
    asked = asked_in(given)
    found = None
    if asked and "\x00" not in asked.event_id:
        found = await in_thread(
            context.executor, find_request, context.log, source, asked.event_id
        )
    if asked is None or found is None:
        raise HttpError(404, "no such request of yours in the last days: send it")
    data = _became(asked, found, source)
    return json_answer({"data": data, "took": _since(began), "requestId": given})


async def _refuse(context: EndpointContext, request: Request) -> Response:
    if request.method == "GET":
        await context.gate.source(request, _key(request))
    else:
        await context.gate.admit(request, _key(request), _ADAPTER)
    raise instead_of(request.method, request.url.path)


def _became(
    asked: OpsgenieRequest, found: StoredOutcome, source: str
) -> dict[str, object]:
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
    return json_answer(said, details.status, headers_of(problem))
