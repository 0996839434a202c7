"""The load of each team and support level: open incidents, age, committed time."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.callers import Reader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.queues import behind_unless
from services.projections.api.limits import WAIT_SECONDS_MAX
from services.projections.api.metrics.tables import TableQuery, shown, tabular
from services.projections.log_queries import policy_in_force
from services.projections.queue.load import DEFINITIONS, Load, load
from services.projections.read_models import QUEUE
from services.projections.snapshots import snapshot

router = APIRouter(tags=["queues"])


class Loads(Answer):
    """The load of all teams, for each support level at which they have incidents."""

    items: list[Load]
    definitions: dict[str, str]
    as_of: AsOfAnswer


@router.get("/v1/load", response_model=Loads, responses=tabular())
async def get_load(
    request: Request,
    asked: Annotated[TableQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # rejects other callers
) -> BaseModel | Response:
    """Show each team's load by support level: open incidents, age, committed time."""
    await desk.progress.wait(QUEUE.name, asked.min_position, WAIT_SECONDS_MAX)
    found = await desk.blocking(_loads, desk, asked.min_position)
    return shown(request, asked, found)


def _loads(desk: Desk, min_position: int) -> Loads:
    with snapshot(desk.log) as cursor:
        schema, known = behind_unless(cursor, min_position)
        policy = policy_in_force(desk.log, cursor)
        teams = policy.teams if policy else {}
        found = load(cursor, schema, desk.clock(), teams)
    return Loads(
        items=found,
        definitions=dict(DEFINITIONS),
        as_of=AsOfAnswer.model_validate(known),
    )
