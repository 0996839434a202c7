"""Endpoint for Alerta's clients: they post to `/alert` and expect Alerta's answers.

https://docs.alerta.io/api/reference.html#alerts

A client reads `status` in the answer and treats everything except "error" as success,
so every refusal has that form.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from services.intake.endpoint_context import EndpointContext
from services.intake.gate.api_keys import bearer
from services.intake.signals.body import BODY_BYTES_MAX, read_json
from services.intake.signals.schemas import Result
from shared.http.bodies import read_body
from shared.http.error_responses import ANSWER_SECONDS, place_of, problem_of
from shared.http.json_answer import json_answer
from shared.http.problem_details import headers_of

_SENT_BACK = ("resource", "event", "environment", "severity", "text", "value")
_NO_SEVERITY = "indeterminate"


async def take_alert(context: EndpointContext, request: Request) -> Response:
    """Take one alert; its key is in the path, or in `Authorization: Key …`."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            taken = context.gate.bounded(lambda asked: _taken(context, asked))
            return await taken(request)
    except Exception as error:  # noqa: BLE001 # Alerta clients read only this form
        return _refusal(error, request)


async def tell_config(_: Request) -> Response:
    """Answer the request for configuration that clients send first: it is empty."""
    return json_answer({}, HTTPStatus.OK)


async def _taken(context: EndpointContext, request: Request) -> Response:
    token = request.path_params.get("key") or _key(request) or bearer(request)
    source = await context.gate.admit(request, token, "alerta")
    body = await read_body(request, BODY_BYTES_MAX)
    document = read_json(body)
    (result,) = await context.reception.receive(
        source, "alerta", body, document, told=True
    )
    return _answer(document, result)


def _key(request: Request) -> str | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "key" else None


def _refusal(error: Exception, request: Request) -> Response:
    problem = problem_of(error, place_of(request))
    details = problem.details
    said = {"status": "error", "message": details.detail, "code": details.status}
    return json_answer(said, details.status, headers_of(problem))


def _answer(alert: Mapping[str, object], result: Result) -> Response:
    if result.status == "rejected":
        said = {"status": "error", "message": result.error, "code": 400}
        return json_answer(said, HTTPStatus.BAD_REQUEST)
    known = result.incident or result.dedup_key or "-"
    if result.status in {"ignored", "suppressed"}:
        said = {"status": "ok", "id": known, "message": result.error}
        return json_answer(said, HTTPStatus.ACCEPTED)
    repeated = result.status == "duplicate"
    taken = {
        **{name: alert[name] for name in _SENT_BACK if name in alert},
        "id": known,
        "status": "closed" if result.status == "recovered" else "open",
        "previousSeverity": _NO_SEVERITY,
        "repeat": repeated,
        "duplicateCount": int(repeated),
    }
    answer = {"status": "ok", "id": known, "alert": taken, "result": result}
    return json_answer(answer, HTTPStatus.CREATED)
