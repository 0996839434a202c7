"""The endpoint that attaches a file to an incident, as a form or as the plain body."""

from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.attachments.commands import Attacher, Uploader
from services.intake.attachments.rules import IncomingFile, incoming
from services.intake.endpoint_context import EndpointContext
from services.intake.gate.api_keys import bearer
from shared.domain.identifiers import is_incident_ref
from shared.http.bearer import require_scope
from shared.http.bodies import FILE_SECONDS_MAX, read_body, size_ahead
from shared.http.command_headers import idempotency_key
from shared.http.error_responses import answered
from shared.http.multipart import OVERHEAD_BYTES_MAX, form_parts, is_form_with_files
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage
from shared.security.command_limits import CommandLimits, no_record
from shared.security.sender import COMMANDERS, command_id
from shared.threads import in_thread

FIELD = "file"
PATH = "/v1/incidents/{ref}/attachments"


def attachment_routes(context: EndpointContext, attacher: Attacher) -> list[Route]:
    """Return the routes for attachments."""

    async def attach(request: Request) -> Response:
        return await _attach(context, attacher, request)

    return [Route(PATH, answered(attach), methods=["POST"])]


async def _attach(
    context: EndpointContext, attacher: Attacher, request: Request
) -> Response:
    caller = await context.gate.caller(request, bearer(request))
    require_scope(caller, *COMMANDERS, limited=True)
    ref = request.path_params["ref"]
    key = idempotency_key(request.headers.get("idempotency-key"))
    found = await attacher.incident(ref) if is_incident_ref(ref) else None
    if found is None:
        raise no_record(ref)
    if caller.is_limited:
        about = CommandMessage[Any](incident=ref, body=None)
        limits = CommandLimits(context.log)
        caller = await in_thread(
            context.executor, limits.narrowed, caller, about, COMMANDERS
        )
    most = attacher.limits.bytes_max + OVERHEAD_BYTES_MAX
    size = size_ahead(request.headers, most)
    with context.gate.in_hand.room_for(size, caller.actor):
        body = await read_body(request, most, FILE_SECONDS_MAX)
        file = _file_in(request, body)
        uploader = Uploader(caller.actor, caller.scopes)
        answer = await attacher.attach(ref, file, uploader, command_id(caller, key))
    headers = {
        "Location": f"/v1/incidents/{ref}/attachments/{answer.attachment}",
        "ETag": f'"{answer.version}"',
    }
    return Response(
        answer.model_dump_json(), HTTPStatus.CREATED, headers, "application/json"
    )


def _file_in(request: Request, body: bytes) -> IncomingFile:
    """Return the file in a request; `HttpError` if there is not exactly one."""
    if not is_form_with_files(request):
        name = request.query_params.get("name", "").strip()
        if not name:
            raise HttpError(
                422,
                "say what the file is called: `?name=screen.png`, or send a form "
                f"(multipart/form-data) with the field `{FIELD}`",
                code="invalid",
            )
        return incoming(name, body)
    files = [part for part in form_parts(request, body) if part.filename is not None]
    if len(files) != 1 or files[0].name != FIELD:
        raise HttpError(
            422,
            f"the form has {len(files)} files: send one, in the field `{FIELD}`",
            code="invalid",
        )
    return incoming(files[0].filename or "", bytes(files[0].content))
