"""Who of a team has how many open incidents now: for the team itself, to share work.

In the order of ids, not of numbers, and of one team: nobody is ranked by it. It is not
a metric, and no period has it.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from services.projections.api.answers import Answer, shown, tabular
from services.projections.api.callers import SomeReader, person_of, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.position import known_to
from services.projections.api.query_params import Name, TableQuery
from services.projections.generations import AsOf
from services.projections.log_queries import policy_in_force
from services.projections.queue.page import open_by_assignee
from services.projections.read_models import QUEUE
from services.projections.snapshots import snapshot
from shared.http.problem_details import HttpError
from shared.security.access import Caller

router = APIRouter(tags=["queues"])


class AssigneeLoad(Answer):
    """How many open incidents of the team are assigned to a person."""

    person: str
    open: int


class AssigneeLoads(Answer):
    """The assignees of a team's open incidents, by id."""

    items: list[AssigneeLoad]
    as_of: AsOf


@router.get(
    "/v1/queues/{queue}/assignees",
    response_model=AssigneeLoads,
    responses=tabular(),
)
async def list_assignees(
    request: Request,
    queue: Annotated[Name, Path(description="The name of a team.")],
    query: Annotated[TableQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """Show the people of a team how many open incidents each of them has now."""
    await desk.reached(query.min_position, QUEUE)
    found = await desk.blocking(_assignees, desk, queue, query, caller)
    return shown(request, query, found)


def _assignees(
    desk: Desk, queue: str, query: TableQuery, caller: Caller
) -> AssigneeLoads:
    with snapshot(desk.log) as cursor:
        policy = policy_in_force(desk.log, cursor)
        team = policy.teams.get(queue) if policy else None
        if team is None or person_of(caller) not in (*team.members, team.manager):
            raise HttpError(403, "only the people of a team see who of it has how much")
        schema, upto = known_to(cursor, QUEUE, query.min_position)
        found = open_by_assignee(cursor, schema, queue, sight_of(caller))
    items = [AssigneeLoad(person=person, open=n) for person, n in found]
    return AssigneeLoads(items=items, as_of=upto)
