"""Commands about an escalation: passed on to the service `escalation`."""

from fastapi import APIRouter, Response

from services.projections.api.commands.endpoints import Wish, body_of
from services.projections.api.desk import DeskHere
from services.projections.api.query_params import Ref, refusals
from shared.domain.commands.escalation import Accept, Escalate
from shared.messaging.commands import CommandAnswer

router = APIRouter(tags=["commands"])
_REFUSALS = refusals(400, 404, 409, 413, 415)


@router.post(
    "/v1/incidents/{ref}/escalate",
    responses=_REFUSALS,
    openapi_extra=body_of(Escalate),
)
async def escalate(
    ref: Ref, wish: Wish, desk: DeskHere, response: Response
) -> CommandAnswer:
    """Escalate to the next support level; the desk remains the owner."""
    return await _ask(Escalate, ref, wish, desk, response)


@router.post(
    "/v1/incidents/{ref}/accept",
    responses=_REFUSALS,
    openapi_extra=body_of(Accept),
)
async def accept(
    ref: Ref, wish: Wish, desk: DeskHere, response: Response
) -> CommandAnswer:
    """Accept an escalated incident; nobody else is paged."""
    return await _ask(Accept, ref, wish, desk, response)


async def _ask(
    kind: type[Escalate | Accept],
    ref: str,
    wish: Wish,
    desk: DeskHere,
    response: Response,
) -> CommandAnswer:
    about = wish.model_copy(update={"incident": ref})
    answer = await desk.owner.ask(kind.verb, about, kind.aggregate)
    response.headers["ETag"] = f'"{answer.version}"'
    return answer
