"""HTTP endpoints for machines: signals, and the results of earlier signals.

These are plain Starlette routes: the busiest path reads the request, passes it on and
answers, nothing else. Answers are JSON, with instants in UTC.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.compat.alerta import take_alert, tell_config
from services.intake.compat.webhook_handshakes import consent
from services.intake.endpoint_context import EndpointContext
from services.intake.gate.api_keys import bearer, seen_by
from services.intake.signals.body import (
    BODY_BYTES_MAX,
    elements,
    read_json,
    read_posted,
)
from services.intake.signals.formats import ADAPTERS, MAPPED
from services.intake.signals.outcomes import find_request
from services.intake.signals.reception import cloud_body, cloud_document
from services.intake.signals.schemas import Result
from shared.domain.events.event import is_source
from shared.http.bodies import read_body, require_json
from shared.http.error_responses import answered
from shared.http.json_answer import json_answer
from shared.http.problem_details import HttpError
from shared.threads import in_thread

Endpoint = Callable[[Request], Awaitable[Response]]
_VREALIZE = "/v1/integrations/vrealize/{key}/{alert}"
"""vRealize appends the alert's id to the path, and updates alerts with PUT."""


def routes(context: EndpointContext) -> list[Route]:
    """Return the routes of intake; each of them always sends an answer."""

    def route(path: str, endpoint: Endpoint, method: str) -> Route:
        return Route(path, answered(context.gate.bounded(endpoint)), methods=[method])

    async def events(request: Request) -> Response:
        return await _events(context, request)

    async def cloudevents(request: Request) -> Response:
        return await _cloudevents(context, request)

    async def integration(request: Request) -> Response:
        return await _integration(context, request)

    async def requests(request: Request) -> Response:
        return await _request(context, request)

    alerta = partial(take_alert, context)
    return [
        route("/v1/events", events, "POST"),
        # Alerta's clients do not read problem+json: this endpoint answers by itself.
        Route("/v1/integrations/alerta/alert", alerta, methods=["POST"]),
        Route("/v1/integrations/alerta/{key}/alert", alerta, methods=["POST"]),
        Route("/v1/integrations/alerta/config", tell_config, methods=["GET"]),
        Route("/v1/integrations/alerta/{key}/config", tell_config, methods=["GET"]),
        route("/v1/cloudevents", cloudevents, "POST"),
        route("/v1/cloudevents", consent, "OPTIONS"),
        route("/v1/integrations/cloudevents", consent, "OPTIONS"),
        route("/v1/integrations/cloudevents/{key}", consent, "OPTIONS"),
        *(route(_VREALIZE, integration, method) for method in ("POST", "PUT")),
        route("/v1/integrations/{type}", integration, "POST"),
        route("/v1/integrations/{type}/{key}", integration, "POST"),
        route("/v1/requests/{event_id:path}", requests, "GET"),
    ]


async def _events(context: EndpointContext, request: Request) -> Response:
    """Take events in our native format: one event or an array of events."""
    source = await context.gate.admit(request, bearer(request))
    require_json(request)
    body = await read_body(request, BODY_BYTES_MAX)
    document = read_json(body)
    elements(document)  # check the limits before anything is done
    key = request.headers.get("idempotency-key")
    results = await context.reception.receive(
        source, "native", body, document, key, told=True
    )
    return _told(results, alone=not isinstance(document, list))


async def _cloudevents(context: EndpointContext, request: Request) -> Response:
    """Take CloudEvents, in the body or with their attributes in the headers."""
    source = await context.gate.admit(request, bearer(request), "cloudevents")
    body = await read_body(request, BODY_BYTES_MAX)
    headers = request.headers
    document = cloud_document(body, headers)
    kept = cloud_body(body, document, headers)
    results = await context.reception.receive(
        source, "cloudevents", kept, document, told=True, headers=headers
    )
    return _told(results, alone=not isinstance(document, list))


async def _integration(context: EndpointContext, request: Request) -> Response:
    """Take the format of a monitoring system; the key may be in the path."""
    kind = request.path_params.get("type", "vrealize")
    known = {*ADAPTERS, MAPPED}
    if kind not in known:
        raise HttpError(
            404, f"no integration `{kind}`: there are {', '.join(sorted(known))}"
        )
    key = request.path_params.get("key") or bearer(request)
    source = await context.gate.admit(request, key, kind)
    body = await read_body(request, BODY_BYTES_MAX)
    kept = body
    if kind == "cloudevents":
        document = cloud_document(body, request.headers)
        kept = cloud_body(body, document, request.headers)
    else:
        document = read_posted(body, request.headers.get("content-type", ""))
    results = await context.reception.receive(
        source, kind, kept, document, headers=request.headers
    )
    return _answer(results)


async def _request(context: EndpointContext, request: Request) -> Response:
    """Return the result for an event id; people name the source in `?source=`."""
    own = seen_by(await context.gate.caller(request, bearer(request)))
    source = own or request.query_params.get("source", "")
    if not is_source(source):
        raise HttpError(
            422, "say in `?source=` whose event it is: an id is its source's"
        )
    event_id = request.path_params["event_id"]
    found = None
    if "\x00" not in event_id:  # PostgreSQL cannot store such a text
        found = await in_thread(
            context.executor, find_request, context.log, source, event_id
        )
    if found is None:
        raise HttpError(
            404, f"no event `{event_id[:256]}` of `{source}` in the last days: send it"
        )
    return json_answer(found)


def _told(results: Sequence[Result], *, alone: bool) -> Response:
    """Answer a sender that reads results: 422 if its only event is rejected."""
    if alone and results[0].status == "rejected":
        raise HttpError(
            422,
            results[0].error or "the event cannot be taken",
            errors=[_error(results[0])],
        )
    return _answer(results)


def _answer(results: Sequence[Result]) -> Response:
    statuses = [result.status for result in results]
    refused = statuses.count("rejected") + statuses.count("quarantined")
    duplicates = statuses.count("duplicate")
    body = {
        "accepted": len(results) - refused,
        "duplicates": duplicates,
        "rejected": refused,
        "results": results,
    }
    if len(results) == 1 and duplicates:
        body["duplicate"] = True
    return json_answer(body, HTTPStatus.ACCEPTED)


def _error(result: Result) -> dict[str, object]:
    loc = ["body", *(result.loc or ())]
    return {"loc": loc, "msg": result.error, "type": "rejected"}
