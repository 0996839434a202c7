"""Forwards the requests that belong to intake, so that people need only one address."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated
from uuid import uuid4  # noqa: TID251 # a command without an id gets one here

import httpx
import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from starlette.datastructures import QueryParams

from services.projections.api.answers import rows_of, rows_wanted
from services.projections.api.callers import caller_with
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import (
    COMMAND_SECONDS_MAX,
    FORWARD_SECONDS_MAX,
    FORWARDED_BYTES_MAX,
    RETRY_SECONDS,
)
from services.projections.api.query_params import TableShape
from shared.eventlog.batcher import Overloaded
from shared.eventlog.errors import Unavailable
from shared.http.bodies import (
    BODY_SECONDS_MAX,
    COMMAND_BYTES_MAX,
    read_body,
    size_ahead,
)
from shared.http.problem_details import HttpError
from shared.security.access import Caller

router = APIRouter(include_in_schema=False)

Header = tuple[bytes, bytes]

_KEPT_BACK = frozenset(
    {
        # These headers are about this connection, not about the forwarded request.
        b"host", b"content-length", b"connection", b"keep-alive", b"te", b"trailer",
        b"transfer-encoding", b"upgrade", b"expect", b"accept-encoding",
        b"proxy-authorization", b"proxy-connection",
        b"cookie",  # for the page only
    }
)  # fmt: skip
_FORWARDED_FOR = b"x-forwarded-for"
_RETURNED = (
    "content-type",
    "cache-control",
    "retry-after",
    "www-authenticate",
    "location",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "allow",
    "webhook-allowed-origin",
    "webhook-allowed-rate",
)
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout)
KEYED_PATHS = ("/v1/integrations/", "/v1/heartbeats/", "/v1/callbacks/", "/v2/")
"""Paths with these prefixes may contain a key or a signed link, in the path or the
body."""
_OPSGENIES = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@router.post("/v1/events")
@router.post("/v1/cloudevents")
@router.options("/v1/cloudevents")
@router.api_route("/v1/integrations/vrealize/{key}/{alert}", methods=["POST", "PUT"])
@router.post("/v1/integrations/{type}")
@router.options("/v1/integrations/{type}")
@router.post("/v1/integrations/{type}/{key:path}")
@router.get("/v1/integrations/{type}/{key:path}")
@router.options("/v1/integrations/{type}/{key:path}")
@router.post("/v2/enqueue")
@router.post("/v2/change/enqueue")
@router.api_route("/v2/alerts", methods=_OPSGENIES)
@router.api_route("/v2/alerts/{rest:path}", methods=_OPSGENIES)
@router.post("/v1/callbacks/twilio/{token}")
@router.post("/v1/callbacks/twilio/{token}/key")
@router.get("/v1/requests/{event_id:path}")
@router.get("/v1/sources/{name}")
@router.get("/v1/heartbeats/{name}")
@router.post("/v1/heartbeats/{name}")
@router.put("/v1/records/{type}/{id}")
@router.post("/v1/heartbeats/{name}/{key}")
async def forward(request: Request, desk: DeskHere) -> Response:
    """Forward a request to intake and return its answer, both unchanged.

    The caller's own key and address are included: intake checks permissions.
    """
    return await passed_on(request, desk, FORWARDED_BYTES_MAX)


@router.get("/v1/suppressed")
@router.get("/v1/decisions")
@router.get("/v1/maintenance")
@router.get("/v1/sources")
@router.get("/v1/heartbeats")
async def forward_list(
    request: Request, desk: DeskHere, query: Annotated[TableShape, Query()]
) -> Response:
    """Forward a request for a list, and return its rows if these are requested."""
    return await listed(request, desk, query)


async def listed(
    request: Request,
    desk: Desk,
    query: TableShape,
    kind: type[BaseModel] | None = None,
) -> Response:
    """Return a list of intake, as rows if requested; `kind` is its model."""
    answer = await passed_on(_without_shape(request), desk, FORWARDED_BYTES_MAX)
    form = rows_wanted(request, query)
    if answer.status_code != HTTPStatus.OK or form is None:
        return answer
    whole = orjson.loads(bytes(answer.body))
    return rows_of(request, form, whole, whole["items"], kind)


def _without_shape(request: Request) -> Request:
    """Return the request without the parameter that intake does not know."""
    if "format" not in request.query_params:
        return request
    parameters = QueryParams(
        [each for each in request.query_params.multi_items() if each[0] != "format"]
    )
    scope = {**request.scope, "query_string": str(parameters).encode()}
    return Request(scope, request.receive)


@router.post("/v1/maintenance")
@router.post("/v1/sources/{name}/keys")
@router.post("/v1/maintenance/{window}/cancel")
async def forward_command(request: Request, desk: DeskHere) -> Response:
    """Forward a person's command; without an answer, repeat it with the same id.

    The process that received it may be frozen while another one answers at the same
    address. The id makes the repeat harmless.
    """
    async with received(request, desk, COMMAND_BYTES_MAX) as body:
        sent = _for_intake(request, desk, body, COMMAND_SECONDS_MAX)
        sent.headers.setdefault("idempotency-key", str(uuid4()))
        try:
            return await _answer(desk, sent)
        except _UNSENT as error:
            raise _nothing_taken() from error
        except httpx.HTTPError:
            pass
        try:
            return await _answer(desk, sent)
        except httpx.HTTPError as error:  # even if unsent: the first attempt was sent
            raise _away(
                "intake gave no answer; it may have been done: repeat it with the same "
                "Idempotency-Key, or look what there is before you send it again"
            ) from error


async def passed_on(
    request: Request,
    desk: Desk,
    bytes_max: int,
    seconds: float = BODY_SECONDS_MAX,
) -> Response:
    """Forward a request whose body is at most `bytes_max` and arrives in `seconds`."""
    async with received(request, desk, bytes_max, seconds) as body:
        sent = _for_intake(request, desk, body, FORWARD_SECONDS_MAX)
        try:
            return await _answer(desk, sent)
        except _UNSENT as error:
            raise _nothing_taken() from error
        except httpx.HTTPError as error:
            raise _away(
                "intake gave no answer; it may have taken it: send it again, a repeat "
                "is noticed"
            ) from error


@asynccontextmanager
async def received(
    request: Request,
    desk: Desk,
    bytes_max: int,
    seconds: float = BODY_SECONDS_MAX,
) -> AsyncIterator[bytes]:
    """Yield the body of a request, and hold its share of the pool until this ends.

    Intake checks permissions, and knows keys that are unknown here. So bodies of
    unauthenticated callers are read too, from a small pool of their own.
    """
    caller = await _known(request, desk)
    try:
        if caller is None:
            async with desk.keyless.body(request, bytes_max) as body:
                yield body
        else:
            size = size_ahead(request.headers, bytes_max)
            with desk.room.room_for(size, caller.actor):
                yield await read_body(request, bytes_max, seconds)
    except Overloaded as error:
        raise HttpError(
            503,  # not all senders retry after a 429
            "too much is waiting; nothing was taken: send it again",
            code="overloaded",
            retry_after=RETRY_SECONDS,
        ) from error


async def _known(request: Request, desk: Desk) -> Caller | None:
    """Return the caller if the request has a valid token in its header, else None."""
    _, _, shown = request.headers.get("authorization", "").partition(" ")
    for key in (
        shown.strip(),
        request.headers.get("x-routing-key", ""),
        request.path_params.get("key", ""),
    ):
        try:
            return await caller_with(request, desk, key)
        except (HttpError, Unavailable):
            continue
    return None


def _for_intake(
    request: Request, desk: Desk, body: bytes, seconds: float
) -> httpx.Request:
    # The raw path: decoding and encoding might change it. httpx removes `..` from it,
    # and the result may be a path that must not be forwarded.
    if {b".", b".."} & set(request.scope["raw_path"].split(b"/")):
        raise HttpError(404, "there is no such path: write it without `.` and `..`")
    path = request.scope["raw_path"] + _question(request)
    return desk.intake.build_request(
        request.method,
        desk.intake.base_url.copy_with(raw_path=path),
        headers=[*_passed(request.headers.raw), *_sender(request)],
        content=body,
        timeout=seconds,
    )


async def _answer(desk: Desk, sent: httpx.Request) -> Response:
    """Return what intake answers; raises `httpx.HTTPError` if it does not."""
    answer = await desk.intake.send(sent)
    headers = {k: answer.headers[k] for k in _RETURNED if k in answer.headers}
    return Response(answer.content, answer.status_code, headers)


def _question(request: Request) -> bytes:
    query: bytes = request.scope["query_string"]
    return b"?" + query if query else b""


def _passed(headers: Sequence[Header]) -> list[Header]:
    # As raw bytes: a header need not be valid text, and any of them may contain a
    # signature.
    return [(name, value) for name, value in headers if name not in _KEPT_BACK]


def _sender(request: Request) -> list[Header]:
    """Return the headers that name the sender, after the proxies before it."""
    host = request.client.host if request.client else "unknown"
    return [(_FORWARDED_FOR, host.encode())]


def _nothing_taken() -> HttpError:
    return _away("intake is away; nothing was taken: send it again")


def _away(sentence: str) -> HttpError:
    return HttpError(503, sentence, code="intake_away", retry_after=RETRY_SECONDS)
