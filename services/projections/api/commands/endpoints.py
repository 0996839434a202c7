"""Commands about incidents: passed to the service that owns them, which decides.

Here a body is only checked for being a JSON object; the owner validates its content.
The caller's token is passed along: the owner derives actor and scopes from it.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel

from services.projections.api.callers import Commander, Token, credential_of
from services.projections.api.desk import DeskHere
from services.projections.api.query_params import Nothing, Ref, refusals
from shared.domain.commands.incident import BODIES
from shared.http.bodies import read_object
from shared.http.command_headers import CommandHeaders, idempotency_key, version
from shared.messaging.commands import CommandAnswer, CommandMessage

router = APIRouter(tags=["commands"])

OPEN = "open"
VERBS = tuple(verb for verb in BODIES if verb != OPEN)
_REFUSALS = refusals(400, 404, 409, 412, 413, 415)


async def _message(
    request: Request,
    caller: Commander,  # noqa: ARG001 # nobody else's body is read
    token: Token,
    headers: Annotated[CommandHeaders, Header()],
    _asked: Annotated[Nothing, Query()],
) -> CommandMessage[dict[str, Any]]:
    """Return the caller's command; the path names the incident."""
    return CommandMessage[dict[str, Any]](
        credential=credential_of(token),
        idempotency_key=idempotency_key(headers.idempotency_key),
        if_match=version(headers.if_match),
        body=await read_object(request),
    )


Wish = Annotated[CommandMessage[dict[str, Any]], Depends(_message)]


def body_of(kind: type[BaseModel]) -> dict[str, Any]:
    """Return the OpenAPI description of a body that the owner parses."""
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


@router.post(
    "/v1/incidents",
    status_code=201,
    responses=_REFUSALS,
    openapi_extra=body_of(BODIES[OPEN]),
)
async def open_incident(
    wish: Wish, desk: DeskHere, response: Response
) -> CommandAnswer:
    """Open an incident."""
    answer = await desk.owner.ask(OPEN, wish)
    response.headers["Location"] = f"/v1/incidents/{answer.incident}"
    response.headers["ETag"] = f'"{answer.version}"'
    return answer


def _add(verb: str) -> None:
    """Add the endpoint of one verb; the endpoints differ only in their body."""

    async def command(
        ref: Ref, wish: Wish, desk: DeskHere, response: Response
    ) -> CommandAnswer:
        answer = await desk.owner.ask(verb, wish.model_copy(update={"incident": ref}))
        response.headers["ETag"] = f'"{answer.version}"'
        return answer

    router.add_api_route(
        f"/v1/incidents/{{ref}}/{verb}",
        command,
        methods=["POST"],
        name=verb,
        summary=BODIES[verb].__doc__,
        responses=_REFUSALS,
        openapi_extra=body_of(BODIES[verb]),
    )


for _verb in VERBS:
    _add(_verb)
