"""The quarantine of intake: documented here, forwarded to intake."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel

from services.projections.api.answers import body_of, refusals, tabular
from services.projections.api.callers import Token
from services.projections.api.desk import DeskHere
from services.projections.api.intake.forwarding import forward, listed
from services.projections.api.query_params import TableShape
from shared.domain.commands.quarantine import (
    Discard,
    Quarantined,
    QuarantinedWhole,
    QuarantineListing,
    QuarantinePage,
    RetryMany,
    Tried,
    TriedMany,
)

router = APIRouter(tags=["quarantine"])

BODIES: tuple[type[BaseModel], ...] = (RetryMany, Discard)
_ROOT = "/v1/quarantine"
Number = Annotated[str, Path(alias="id", description="A number of the list.")]
Passed = Annotated[Response, Depends(forward)]


def _answers(model: type[BaseModel], *statuses: int) -> dict[int | str, Any]:
    return {200: {"model": model}, **refusals(400, 422, *statuses)}


def _described(token: Token) -> None:
    """Document that a token is required; intake checks it."""


_LISTING = [
    {"in": "query", "name": name, "required": False, "schema": schema}
    for name, schema in QuarantineListing.model_json_schema()["properties"].items()
]


@router.get(
    _ROOT,
    response_model=QuarantinePage,
    responses=tabular(400),
    openapi_extra={"parameters": _LISTING},
    dependencies=[Depends(_described)],
)
async def quarantine(
    request: Request, desk: DeskHere, query: Annotated[TableShape, Query()]
) -> Response:
    """List the requests that could not be mapped, the oldest first."""
    return await listed(request, desk, query, QuarantinePage)


@router.get(
    f"{_ROOT}/{{id}}",
    responses=_answers(QuarantinedWhole, 404),
    dependencies=[Depends(_described)],
)
async def quarantined(_id: Number, answer: Passed) -> Response:
    """Show a quarantined request with its history and, for `admin`, its raw body."""
    return answer


@router.post(
    f"{_ROOT}/retry",
    responses=_answers(TriedMany),
    openapi_extra=body_of(RetryMany),
    dependencies=[Depends(_described)],
)
async def retry_many(answer: Passed) -> Response:
    """Retry all matching requests, and accept those that can be mapped now."""
    return answer


@router.post(
    f"{_ROOT}/{{id}}/retry",
    responses=_answers(Tried, 404),
    dependencies=[Depends(_described)],
)
async def retry(_id: Number, answer: Passed) -> Response:
    """Retry one request, and accept it if it can be mapped now."""
    return answer


@router.post(
    f"{_ROOT}/{{id}}/discard",
    responses=_answers(Quarantined, 404, 409),
    openapi_extra=body_of(Discard),
    dependencies=[Depends(_described)],
)
async def discard(_id: Number, answer: Passed) -> Response:
    """Discard one. It is kept, with the person and the reason."""
    return answer
