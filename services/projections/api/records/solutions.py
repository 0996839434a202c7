"""Solution notes for N1, searched by service and by words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.callers import Reader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.history import known
from services.projections.api.limits import (
    PAGE_DEFAULT,
    PAGE_MAX,
    POSITION_MAX,
    WAIT_SECONDS_MAX,
)
from services.projections.api.metrics.tables import TableQuery, shown, tabular
from services.projections.api.query_params import Name, Position, Words, behind
from services.projections.generations import as_of, live
from services.projections.read_models import METRICS
from services.projections.snapshots import snapshot
from services.projections.solutions import Solution, Wanted, newest, uses
from shared.domain.events.event import Actor
from shared.domain.identifiers import IncidentRef

router = APIRouter(tags=["incidents"])


class SolutionsAsked(TableQuery):
    """Which notes to list."""

    service: Name | None = None
    """The service of their incidents."""
    q: Words | None = None
    """Words that must all occur in the note or its reference, in any order."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: Position = POSITION_MAX
    """`next_cursor` of the previous page."""


class NoteView(Answer):
    """A solution note: what N1 can do by itself, recorded at an incident."""

    incident: IncidentRef
    """The id of the note, to give as `solution` in `resolve`."""
    service: str
    note: str
    by: Actor
    noted_at: AwareDatetime


class SolutionView(NoteView):
    """A note, and how often it was used."""

    used: int
    """The number of resolutions that named it."""
    last_used_at: AwareDatetime | None


class Solutions(Answer):
    """Some notes, the newest first."""

    items: list[SolutionView]
    next_cursor: str | None
    """Where the next page begins; null at the end. A page without items may have a next
    page, too: many notes were read, and none of them matched."""
    as_of: AsOfAnswer


@router.get("/v1/solutions", response_model=Solutions, responses=tabular())
async def list_solutions(
    request: Request,
    asked: Annotated[SolutionsAsked, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
) -> BaseModel | Response:
    """List solution notes, the newest first, and how often each was used."""
    await desk.progress.wait(METRICS.name, asked.min_position, WAIT_SECONDS_MAX)
    found = await desk.blocking(_solutions, desk, asked)
    return shown(request, asked, found)


def _solutions(desk: Desk, asked: SolutionsAsked) -> Solutions:
    wanted = Wanted(asked.service, asked.q, asked.cursor, asked.limit)
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, asked.min_position)
        counted_in = live(cursor, METRICS).schema
        counted = as_of(cursor, counted_in)
        if counted.position < asked.min_position:
            raise behind("the metrics", counted.position, asked.min_position)
        found = newest(desk.log, cursor, upto, wanted)
        used = uses(cursor, counted_in, [each.incident for each in found.solutions])
    more = found.next_before
    return Solutions(
        items=[_view(each, used) for each in found.solutions],
        next_cursor=None if more is None else str(more),
        as_of=AsOfAnswer.model_validate(upto),
    )


def _view(solution: Solution, used: Mapping[str, tuple[int, datetime]]) -> SolutionView:
    times, last = used.get(solution.incident, (0, None))
    counted = {"used": times, "last_used_at": last}
    return SolutionView.model_validate({**solution.__dict__, **counted})
