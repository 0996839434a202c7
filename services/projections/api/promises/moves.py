"""Moves live promises to another version of the policy: preview, move, progress.

The service `sla` answers all three; a preview changes nothing.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from services.projections.api.callers import Reader, Token, credential_of
from services.projections.api.commands.endpoints import Wish, body_of
from services.projections.api.desk import DeskHere
from services.projections.api.query_params import Nothing, refusals
from shared.domain.commands.policy_moves import (
    LookAtMove,
    MovedPage,
    MovePromises,
    MoveSeen,
    PreviewMove,
)
from shared.domain.policy.clause import Name
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage

router = APIRouter(tags=["moves"])
_REFUSALS = refusals(400, 404, 413, 415)
Operation = Annotated[Name, Path(description="What the move is called: `july`.")]


@router.get("/v1/sla/preview-move", responses=refusals())
async def preview_move(
    asked: Annotated[PreviewMove, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
    token: Token,
) -> MovedPage:
    """Show what moving live promises to another version of the policy would change.

    One page at a time: incidents in progress whose promises have another version.
    """
    body = asked.model_dump(mode="json", exclude_none=True)
    request = CommandMessage[dict[str, Any]](credential=credential_of(token), body=body)
    return await desk.owner.move(PreviewMove.verb, request, MovedPage)


@router.post(
    "/v1/sla/moves/{operation}",
    responses=_REFUSALS,
    openapi_extra=body_of(MovePromises),
)
async def move_promises(operation: Operation, wish: Wish, desk: DeskHere) -> MovedPage:
    """Move promises to another version of the policy, a page of incidents at a time.

    Repeat it with `after` until there is no `next_after`. Each incident is moved only
    once, so a move can be stopped at any page and started again from the beginning.
    """
    if wish.body.get("operation", operation) != operation:
        raise HttpError(
            422,
            f"the path says `{operation}`: leave `operation` out of the body",
            code="invalid",
        )
    body = {**wish.body, "operation": operation}
    named: dict[str, Any] = {"body": body, "idempotency_key": None}
    return await desk.owner.move(
        MovePromises.verb, wish.model_copy(update=named), MovedPage
    )


@router.get("/v1/sla/moves/{operation}", responses=refusals(404))
async def get_move(
    operation: Operation,
    _asked: Annotated[Nothing, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
    token: Token,
) -> MoveSeen:
    """Show the progress of a move: how many incidents are moved, how many remain."""
    request = CommandMessage[dict[str, Any]](
        credential=credential_of(token), body={"operation": operation}
    )
    return await desk.owner.move(LookAtMove.verb, request, MoveSeen)
