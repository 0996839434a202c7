"""The quarantine, which belongs to intake: described here, answered there."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel

from services.projections.api.asked import refusals
from services.projections.api.callers import Token
from services.projections.api.forwarding import forward
from shared.quarantine import (
    Discard,
    Listing,
    Quarantined,
    QuarantinedWhole,
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
    """Say in the document that a token is needed; intake asks for it."""


_ASKED = [
    {"in": "query", "name": name, "required": False, "schema": schema}
    for name, schema in Listing.model_json_schema()["properties"].items()
]


def _body(model: type[BaseModel]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


@router.get(
    _ROOT,
    responses=_answers(QuarantinePage),
    openapi_extra={"parameters": _ASKED},
    dependencies=[Depends(_described)],
)
async def quarantine(answer: Passed) -> Response:
    """List what could not be mapped, the oldest first."""
    return answer


@router.get(
    f"{_ROOT}/{{id}}",
    responses=_answers(QuarantinedWhole, 404),
    dependencies=[Depends(_described)],
)
async def quarantined(_id: Number, answer: Passed) -> Response:
    """Show one with its history and, with the scope `admin`, its raw body."""
    return answer


@router.post(
    f"{_ROOT}/retry",
    responses=_answers(TriedMany),
    openapi_extra=_body(RetryMany),
    dependencies=[Depends(_described)],
)
async def retry_many(answer: Passed) -> Response:
    """Read again what waits and fits, and take what can be mapped now."""
    return answer


@router.post(
    f"{_ROOT}/{{id}}/retry",
    responses=_answers(Tried, 404),
    dependencies=[Depends(_described)],
)
async def retry(_id: Number, answer: Passed) -> Response:
    """Read one again, and take it if it can be mapped now."""
    return answer


@router.post(
    f"{_ROOT}/{{id}}/discard",
    responses=_answers(Quarantined, 404, 409),
    openapi_extra=_body(Discard),
    dependencies=[Depends(_described)],
)
async def discard(_id: Number, answer: Passed) -> Response:
    """Take one off the list. It is kept, with who did it and why."""
    return answer
