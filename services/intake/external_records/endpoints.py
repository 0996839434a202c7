"""The endpoint at which other systems, or people, tell what a record is now."""

from functools import partial
from http import HTTPStatus

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.attempts import journalled_of
from services.intake.endpoint_context import EndpointContext
from services.intake.external_records.rules import put
from services.intake.external_records.schemas import PutExternalRecord
from services.intake.external_records.store import Put, record
from services.intake.gate.api_keys import bearer
from services.intake.signals.body import read_json
from shared.clock import Clock
from shared.domain.events.event import Actor
from shared.domain.events.external_record import ExternalRecordPut
from shared.domain.external_record import ExternalRecord
from shared.domain.identifiers import ExternalId, ExternalType, external_ref
from shared.http.bearer import require_scope
from shared.http.bodies import read_body, require_json, validated
from shared.http.command_headers import version
from shared.http.error_responses import answered
from shared.http.json_answer import json_answer
from shared.http.problem_details import HttpError, located
from shared.threads import in_thread

BODY_BYTES_MAX = 65_536
PATH = "/v1/records/{type}/{id}"
_TYPE: TypeAdapter[str] = TypeAdapter(ExternalType)
_ID: TypeAdapter[str] = TypeAdapter(ExternalId)


def external_record_routes(context: EndpointContext, clock: Clock) -> list[Route]:
    """Return the route at which external records are put."""

    async def take(request: Request) -> Response:
        return await _put(context, request, clock)

    return [Route(PATH, answered(context.gate.bounded(take)), methods=["PUT"])]


async def _put(context: EndpointContext, request: Request, clock: Clock) -> Response:
    """Record what a record is now, unless all of it was told before."""
    by = await _sender(context, request)
    require_json(request)
    ref, if_match = _ref(request), version(request.headers.get("if-match"))
    command = _command(await read_body(request, BODY_BYTES_MAX))

    def decide(known: ExternalRecord | None) -> ExternalRecordPut | None:
        return put(command, ref, known, clock(), by)

    context.log.vault.prepare(by)
    note = journalled_of(by, "record.put", ref, clock)
    work = partial(record, context.log, ref, if_match, decide, note)
    return _answer(ref, await in_thread(context.executor, work))


async def _sender(context: EndpointContext, request: Request) -> Actor:
    """Return who sends it: an admitted source, or a manager without limits."""
    key = bearer(request)
    caller = await context.gate.caller(request, key)
    if "source" in caller.scopes:
        return f"source:{await context.gate.admit(request, key)}"
    require_scope(caller, "manager", "admin", "source")
    return caller.actor


def _ref(request: Request) -> str:
    """Return the reference that the path names; `HttpError` 422 by its part."""
    parts = []
    for name, adapter in (("type", _TYPE), ("id", _ID)):
        try:
            parts.append(adapter.validate_python(request.path_params[name]))
        except ValidationError as error:
            (found,) = located(error)
            raise HttpError(
                422,
                f"{name}: {found['msg']}",
                errors=[{**found, "loc": ["path", name]}],
            ) from error
    return external_ref(*parts)


def _command(body: bytes) -> PutExternalRecord:
    return validated(PutExternalRecord, read_json(body), "record")


def _answer(ref: str, done: Put) -> Response:
    content = {
        "outcome": "already" if done.position is None else "recorded",
        "record": ref,
        "version": done.version,
        "positions": [] if done.position is None else [done.position],
    }
    status = HTTPStatus.CREATED if done.is_new else HTTPStatus.OK
    return json_answer(content, status, {"ETag": f'"{done.version}"'})
