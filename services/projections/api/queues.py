"""Queues: which there are, and what is in one, page by page."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from services.projections.api.answers import Answer, AsOfAnswer, Counts
from services.projections.api.asked import Name, Words
from services.projections.api.callers import Reader, may_look_people_up, person_of
from services.projections.api.counting import counts_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX, WAIT_SECONDS_MAX
from services.projections.api.page_of_queue import (
    PartAsked,
    QueuePage,
    behind_unless,
    read_page,
)
from services.projections.api.tables import TableAsked, shown, tabular
from services.projections.queue.counts import ALL, UNASSIGNED, person_queue, team_queue
from services.projections.queue.cursor import CURSOR_MAX
from services.projections.queue.filters import Filters, QueueName
from services.projections.queue.page import all_counts
from services.projections.read_models import QUEUE
from services.projections.snapshots import snapshot
from services.projections.teams import teams
from shared.domain.incident import Status
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import SupportLevel
from shared.domain.policy.teams import QueueOrder
from shared.http.problem_details import HttpError

router = APIRouter(tags=["queues"])

_MINE = "mine"


class PageAsked(TableAsked):
    """Which part of a queue."""

    status: tuple[Status, ...] = ()
    """Repeat it for several. Left out: all that are open."""
    priority: tuple[Priority, ...] = ()
    """Repeat it for several."""
    assignee: Name | None = None
    service: Name | None = None
    client: Name | None = None
    reporter: Name | None = None
    level: SupportLevel | None = None
    breached: bool | None = None
    """Only those that broke a promise in this cycle, or only those that did not."""
    root_cause: Literal["open", "problem"] | None = None
    """Only those whose cause is still there and that nobody (`open`) or a problem looks
    for. They are resolved or closed: give a `status` for those that are closed."""
    q: Words | None = None
    """Words in any order, each from its beginning, without case and accents: of title,
    reference, service, labels and people. All have to be there. People are found by
    name for whom may look them up, else by id."""
    order: QueueOrder | None = None
    """Of open incidents; ended ones are always newest first. Left out: the
    `queue_order` of the policy, which begins with `working_time_left`."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: Annotated[str, StringConstraints(max_length=CURSOR_MAX)] | None = None
    """`next_cursor` of the page before."""


class QueueSummary(Answer):
    """A queue and what it holds."""

    queue: str
    counts: Counts


class Queues(Answer):
    """All queues: `all`, `mine`, `unassigned`, and one of each team."""

    items: list[QueueSummary]
    as_of: AsOfAnswer


@router.get("/v1/queues", response_model=Queues, responses=tabular())
async def list_queues(
    request: Request,
    asked: Annotated[TableAsked, Query()],
    desk: DeskHere,
    caller: Reader,
) -> BaseModel | Response:
    """List the queues and how much is in them."""
    await desk.progress.wait(QUEUE.name, asked.min_position, WAIT_SECONDS_MAX)
    found = await desk.blocking(_summaries, desk, person_of(caller), asked.min_position)
    return shown(request, asked, found)


@router.get(
    "/v1/queues/{queue}/incidents",
    response_model=QueuePage,
    responses=tabular(400, 404),
)
async def list_incidents(
    request: Request,
    queue: Annotated[
        Name, Path(description="`all`, `mine`, `unassigned` or the name of a team.")
    ],
    asked: Annotated[PageAsked, Query()],
    desk: DeskHere,
    caller: Reader,
) -> BaseModel | Response:
    """List incidents: open ones in the order asked for, ended ones newest first."""
    name = _name(queue, person_of(caller))
    filters = Filters(
        asked.status,
        asked.priority,
        asked.assignee,
        asked.service,
        asked.client,
        asked.reporter,
        asked.level,
        asked.breached,
        asked.root_cause,
        asked.q,
        may_look_people_up(caller),
    )
    await desk.progress.wait(QUEUE.name, asked.min_position, WAIT_SECONDS_MAX)
    part = PartAsked(asked.cursor, asked.limit, asked.order, asked.min_position)
    found = await desk.blocking(read_page, desk, name, filters, part)
    return shown(request, asked, found)


def _name(queue: str, person: str | None) -> QueueName:
    match queue:
        case "all" | "unassigned":
            return QueueName(queue)
        case "mine" if person is None:
            raise HttpError(
                404, "only a person has a queue `mine`", code="unknown_queue"
            )
        case "mine":
            return QueueName("mine", person)
        case team:
            return QueueName("team", team)


def _summaries(desk: Desk, person: str | None, min_position: int) -> Queues:
    with snapshot(desk.log) as cursor:
        schema, known = behind_unless(cursor, min_position)
        cells = all_counts(cursor, schema, person)
        named = teams(desk.log, cursor)
    stored = {ALL: ALL, UNASSIGNED: UNASSIGNED}
    if person is not None:
        stored[_MINE] = person_queue(person)
    held = {cell[0].removeprefix("team:") for cell in cells if cell[0][:5] == "team:"}
    stored |= {team: team_queue(team) for team in sorted(named | held)}
    return Queues(
        items=[
            QueueSummary(
                queue=name,
                counts=counts_of(cell[1:] for cell in cells if cell[0] == queue),
            )
            for name, queue in stored.items()
        ],
        as_of=AsOfAnswer.model_validate(known),
    )
