"""Commands about problems and changes: passed on to the service that owns them."""

from collections.abc import Mapping
from inspect import getdoc
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, StringConstraints

from services.projections.api.commands.endpoints import Wish, body_of
from services.projections.api.desk import DeskHere
from services.projections.api.query_params import refusals
from shared.messaging.commands import RecordAnswer

_REFUSALS = refusals(400, 404, 409, 412, 413, 415)


def add_commands(
    router: APIRouter,
    aggregate: str,
    bodies: Mapping[str, type[BaseModel]],
    first: str,
    pattern: str,
) -> None:
    """Add an endpoint for each verb: `first` opens a record, the others change one.

    `pattern` is the pattern of the record's references.
    """
    for verb, kind in bodies.items():
        if verb == first:
            _add_first(router, aggregate, verb, kind)
        else:
            _add(router, aggregate, verb, kind, pattern)


def _add_first(
    router: APIRouter, aggregate: str, verb: str, kind: type[BaseModel]
) -> None:
    async def begin(wish: Wish, desk: DeskHere, response: Response) -> RecordAnswer:
        answer = await desk.owner.ask_about(aggregate, verb, wish)
        response.headers["Location"] = f"/v1/{aggregate}s/{answer.record}"
        response.headers["ETag"] = f'"{answer.version}"'
        return answer

    router.add_api_route(
        f"/v1/{aggregate}s",
        begin,
        methods=["POST"],
        status_code=201,
        name=f"{verb}_{aggregate}",
        summary=getdoc(kind),
        responses=_REFUSALS,
        openapi_extra=body_of(kind),
    )


def _add(
    router: APIRouter, aggregate: str, verb: str, kind: type[BaseModel], pattern: str
) -> None:
    async def command(
        ref: Annotated[str, StringConstraints(pattern=pattern), Path()],
        wish: Wish,
        desk: DeskHere,
        response: Response,
    ) -> RecordAnswer:
        about: dict[str, Any] = {"record": ref}
        answer = await desk.owner.ask_about(
            aggregate, verb, wish.model_copy(update=about)
        )
        response.headers["ETag"] = f'"{answer.version}"'
        return answer

    router.add_api_route(
        f"/v1/{aggregate}s/{{ref}}/{verb}",
        command,
        methods=["POST"],
        name=f"{verb}_{aggregate}",
        summary=getdoc(kind),
        responses=_REFUSALS,
        openapi_extra=body_of(kind),
    )
