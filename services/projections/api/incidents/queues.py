"""Lists the queues, and the incidents of one, page by page.

A page is read from a snapshot of the read model `queue`.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple, get_args

from fastapi import APIRouter, Path, Query, Request, Response
from psycopg import Cursor
from pydantic import BaseModel, Field, StringConstraints

from services.projections.api.answers import Answer, AsOfAnswer, Counts
from services.projections.api.callers import Reader, may_look_people_up, person_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX, WAIT_SECONDS_MAX
from services.projections.api.metrics.endpoints import counts_of
from services.projections.api.metrics.tables import TableQuery, shown, tabular
from services.projections.api.query_params import Name, Words, behind
from services.projections.generations import AsOf, as_of, live
from services.projections.log_queries import policy_in_force, teams
from services.projections.queue import filters as cursors
from services.projections.queue.filters import (
    BY_WORKING_TIME,
    CURSOR_MAX,
    Filters,
    Lifecycle,
    MixedStanding,
    QueueName,
    digest,
    standing,
)
from services.projections.queue.page import Part, all_counts, counts, page
from services.projections.queue.row import QueueRow
from services.projections.queue.store import ALL, UNASSIGNED, person_queue, team_queue
from services.projections.read_models import QUEUE
from services.projections.snapshots import snapshot
from shared.domain.incident import Status
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import SupportLevel
from shared.domain.policy.teams import QueueOrder
from shared.eventlog.epochs import OtherEpoch, read_epochs
from shared.http.problem_details import HttpError


class QueuePage(Answer):
    """A page of a queue: open incidents by urgency, ended ones newest first."""

    items: list[QueueRow]
    next_cursor: str | None
    """Where the next page begins; null at the end of the queue."""
    counts: Counts
    as_of: AsOfAnswer


class PartAsked(NamedTuple):
    """The requested part of a queue, and its order."""

    after: str | None
    limit: int
    order: QueueOrder | None
    min_position: int


def read_page(
    desk: Desk, queue: QueueName, filters: Filters, wanted: PartAsked
) -> QueuePage:
    """Return a page; `HttpError` 400, 404, 422 or 503 if that fails. Blocks."""
    _require_order(filters, wanted.order)
    with snapshot(desk.log) as cursor:
        epoch = read_epochs(cursor).newest.label
        schema, known = behind_unless(cursor, wanted.min_position)
        orders = [wanted.order] if wanted.order else _orders(desk, cursor)
        order, key = _begun(queue, filters, wanted.after, orders, epoch)
        asked = digest(queue, filters, order)
        cells = counts(cursor, schema, queue)
        part = Part(key, wanted.limit, desk.clock(), order)
        found = page(cursor, schema, queue, filters, part)
        if not cells and not found.rows:
            _require_team(desk, cursor, queue)
    return QueuePage(
        items=found.rows,
        next_cursor=cursors.write(asked, found.more, epoch) if found.more else None,
        counts=counts_of(cells),
        as_of=AsOfAnswer.model_validate(known),
    )


def behind_unless(
    cursor: Cursor[tuple[Any, ...]], min_position: int
) -> tuple[str, AsOf]:
    """Return the live schema and its position; `HttpError` 503 if that is too low."""
    schema = live(cursor, QUEUE).schema
    known = as_of(cursor, schema)
    if known.position < min_position:
        raise behind("the queue", known.position, min_position)
    return schema, known


def _require_order(filters: Filters, order: QueueOrder | None) -> None:
    """Refuse open and ended incidents together, and an order for ended ones."""
    try:
        ended = standing(filters) is Lifecycle.ENDED
    except MixedStanding as error:
        raise HttpError(
            422,
            "open and ended incidents are in different orders: ask for them apart",
            errors=[
                {
                    "loc": ["query", "status"],
                    "msg": "closed, cancelled and merged do not go with the others",
                    "type": "mixed_standing",
                }
            ],
        ) from error
    if ended and order is not None:
        raise HttpError(
            422,
            "ended incidents are always newest first: leave `order` out",
            errors=[
                {
                    "loc": ["query", "order"],
                    "msg": "it sorts open incidents only",
                    "type": "ended_order",
                }
            ],
        )


def _orders(desk: Desk, cursor: Cursor[tuple[Any, ...]]) -> list[QueueOrder]:
    """Return the order of the policy in force, then those of earlier policies."""
    policy = policy_in_force(desk.log, cursor)
    first = policy.desk.queue_order if policy else BY_WORKING_TIME
    return [first, *(each for each in get_args(QueueOrder) if each != first)]


def _begun(
    queue: QueueName,
    filters: Filters,
    after: str | None,
    orders: Sequence[QueueOrder],
    epoch: str,
) -> tuple[QueueOrder, cursors.Key | None]:
    """Return the order of the pages that a cursor continues, and where it continues.

    They keep the order they began with, even if another policy was applied meanwhile.
    """
    if after is None:
        return orders[0], None
    wrong: list[cursors.BadCursor] = []
    for order in orders:
        asked = digest(queue, filters, order)
        try:
            return order, cursors.read(asked, after, standing(filters), epoch)
        except OtherEpoch as error:
            raise HttpError(410, str(error), code="other_epoch") from error
        except cursors.BadCursor as error:
            wrong.append(error)
    raise HttpError(400, str(wrong[0]), code="cursor") from wrong[0]


def _require_team(
    desk: Desk, cursor: Cursor[tuple[Any, ...]], queue: QueueName
) -> None:
    if queue.kind == "team" and queue.of not in teams(desk.log, cursor):
        raise HttpError(
            404,
            f"there is no queue {queue.of}: GET /v1/queues lists them",
            code="unknown_queue",
        )


router = APIRouter(tags=["queues"])

_MINE = "mine"


class PageQuery(TableQuery):
    """Which part of a queue."""

    status: tuple[Status, ...] = ()
    """Repeat it for several values. Default: all open incidents."""
    priority: tuple[Priority, ...] = ()
    """Repeat it for several values."""
    assignee: Name | None = None
    service: Name | None = None
    client: Name | None = None
    reporter: Name | None = None
    level: SupportLevel | None = None
    breached: bool | None = None
    """Only those that broke a promise in this cycle, or only those that did not."""
    root_cause: Literal["open", "problem"] | None = None
    """Only incidents whose cause still exists: not investigated (`open`), or
    investigated by a problem. They are resolved or closed: for closed ones give a
    `status` too."""
    q: Words | None = None
    """Words in any order, each a prefix, ignoring case and accents; searched in title,
    reference, service, labels and people. All words must match. People are found by
    name if the caller may look people up, otherwise by id."""
    order: QueueOrder | None = None
    """The order of open incidents; ended ones are always newest first. Default: the
    `queue_order` of the policy (`working_time_left` unless set)."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: Annotated[str, StringConstraints(max_length=CURSOR_MAX)] | None = None
    """`next_cursor` of the previous page."""


class QueueSummary(Answer):
    """A queue and its counts."""

    queue: str
    counts: Counts


class Queues(Answer):
    """All queues: `all`, `mine`, `unassigned`, and one for each team."""

    items: list[QueueSummary]
    as_of: AsOfAnswer


@router.get("/v1/queues", response_model=Queues, responses=tabular())
async def list_queues(
    request: Request,
    asked: Annotated[TableQuery, Query()],
    desk: DeskHere,
    caller: Reader,
) -> BaseModel | Response:
    """List the queues with their counts."""
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
    asked: Annotated[PageQuery, Query()],
    desk: DeskHere,
    caller: Reader,
) -> BaseModel | Response:
    """List incidents: open ones in the requested order, ended ones newest first."""
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
