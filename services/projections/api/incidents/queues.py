"""The queues, the incidents of one page by page, and the load of each team.

Everything is read from a snapshot of the read model `queue`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Annotated, get_args

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from services.projections.api.answers import Answer, refusals, shown, tabular
from services.projections.api.callers import (
    ClientReader,
    SomeReader,
    person_of,
    sight_of,
)
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.people import look_up_of, may_say_of_row
from services.projections.api.incidents.queue_query import (
    FilterQuery,
    PageQuery,
    filters_of,
)
from services.projections.api.position import known_to
from services.projections.api.query_params import Name, TableQuery, refused
from services.projections.api.redaction import redacted_rows
from services.projections.generations import AsOf
from services.projections.log_queries import policy_in_force, teams
from services.projections.queue import filters as cursors
from services.projections.queue.filters import (
    BY_WORKING_TIME,
    Filters,
    Lifecycle,
    MixedStanding,
    QueueName,
    digest,
    standing,
)
from services.projections.queue.load import DEFINITIONS, Load, load
from services.projections.queue.page import (
    Part,
    all_counts,
    counts,
    matching_counts,
    page,
    seen_counts,
)
from services.projections.queue.row import QueueRow, with_own_reminders
from services.projections.queue.search import searches_words
from services.projections.queue.store import ALL, UNASSIGNED, person_queue, team_queue
from services.projections.read_models import QUEUE, WORDS
from services.projections.sight import Sight, place_of_row
from services.projections.snapshots import snapshot
from services.projections.words.search import WordIndex
from shared.database.cursors import Cursors
from shared.domain.identifiers import IncidentRef
from shared.domain.incident.possible import Standing, possible_from_row
from shared.domain.policy.teams import QueueOrder
from shared.eventlog.epochs import OtherEpoch, read_epochs
from shared.http.problem_details import HttpError
from shared.security.access import Caller
from shared.security.sender import COMMANDERS

router = APIRouter(tags=["queues"])

_MINE = "mine"


class Counts(Answer):
    """How many open incidents a queue holds, whatever the filters."""

    open: int
    breached: int
    """How many of those in progress broke a promise in this cycle."""
    status: dict[str, int]
    priority: dict[str, int]


class QueueSummary(Answer):
    """A queue and its counts."""

    queue: str
    counts: Counts


class Queues(Answer):
    """All queues: `all`, `mine`, `unassigned`, and one for each team."""

    items: list[QueueSummary]
    as_of: AsOf


class QueueCount(Answer):
    """How many incidents of a queue match."""

    matching: int
    counts: Counts
    """The same by status and priority. `open` is 0 if ended ones are asked for."""
    as_of: AsOf


class QueuePage(Answer):
    """A page of a queue: open incidents by urgency, ended ones newest first."""

    items: list[QueueRow]
    actions: dict[IncidentRef, list[str]] = Field(default_factory=dict)
    """Which of `acknowledge` and `accept` the caller may do now, by incident."""
    next_cursor: str | None
    """Where the next page begins; null at the end of the queue."""
    order: QueueOrder
    """The order of open incidents; ended ones are always newest first."""
    counts: Counts
    as_of: AsOf


class Loads(Answer):
    """The load of all teams, for each support level at which they have incidents."""

    items: list[Load]
    definitions: dict[str, str]
    as_of: AsOf


@router.get("/v1/queues", response_model=Queues, responses=tabular())
async def list_queues(
    request: Request,
    query: Annotated[TableQuery, Query()],
    desk: DeskHere,
    caller: ClientReader,
) -> BaseModel | Response:
    """List the queues with their counts."""
    await desk.reached(query.min_position, QUEUE)
    person, sight = person_of(caller), sight_of(caller)
    found = await desk.blocking(_summaries, desk, person, query.min_position, sight)
    return shown(request, query, found)


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
    query: Annotated[PageQuery, Query()],
    desk: DeskHere,
    caller: ClientReader,
) -> BaseModel | Response:
    """List incidents: open ones in the requested order, ended ones newest first."""
    name = queue_named(queue, person_of(caller))
    filters = filters_of(query, caller)
    searched = (WORDS,) if searches_words(filters) else ()
    await desk.reached(query.min_position, QUEUE, *searched)
    found = await desk.blocking(_page, desk, name, filters, query, sight_of(caller))
    rows = with_own_reminders(found.items, person_of(caller))
    actions = await desk.blocking(_actions, desk, rows, caller)
    page = found.model_copy(update={"items": rows, "actions": actions})
    return shown(request, query, page)


@router.get("/v1/queues/{queue}/count", responses=refusals(400, 404))
async def count_incidents(
    queue: Annotated[
        Name, Path(description="`all`, `mine`, `unassigned` or the name of a team.")
    ],
    query: Annotated[FilterQuery, Query()],
    desk: DeskHere,
    caller: ClientReader,
) -> QueueCount:
    """Count the incidents of a queue that match the same filters."""
    name = queue_named(queue, person_of(caller))
    filters = filters_of(query, caller)
    searched = (WORDS,) if searches_words(filters) else ()
    await desk.reached(query.min_position, QUEUE, *searched)
    return await desk.blocking(
        _count, desk, name, filters, query.min_position, sight_of(caller)
    )


@router.get("/v1/load", response_model=Loads, responses=tabular())
async def get_load(
    request: Request,
    query: Annotated[TableQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """Show each team's load by support level: open incidents, age, committed time."""
    await desk.reached(query.min_position, QUEUE)
    found = await desk.blocking(_loads, desk, query.min_position, sight_of(caller))
    return shown(request, query, found)


def queue_named(queue: str, person: str | None) -> QueueName:
    """Return the queue with a name. `HttpError` 404 for `mine` of a machine."""
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


def _summaries(
    desk: Desk, person: str | None, min_position: int, sight: Sight
) -> Queues:
    with snapshot(desk.log) as cursor:
        schema, upto = known_to(cursor, QUEUE, min_position)
        if sight.within is None:
            cells = all_counts(cursor, schema, person)
        else:
            cells = seen_counts(cursor, schema, person, sight)
        named = filter(sight.sees_team, teams(desk.log, cursor))
    stored = {ALL: ALL, UNASSIGNED: UNASSIGNED}
    if person is not None:
        stored[_MINE] = person_queue(person)
    held = {cell[0].removeprefix("team:") for cell in cells if cell[0][:5] == "team:"}
    stored |= {team: team_queue(team) for team in sorted({*named, *held})}
    return Queues(
        items=[
            QueueSummary(
                queue=name,
                counts=_counts(cell[1:] for cell in cells if cell[0] == queue),
            )
            for name, queue in stored.items()
        ],
        as_of=upto,
    )


def _counts(cells: Iterable[tuple[str, str, bool, int]]) -> Counts:
    """Return the sums of (status, priority, breached, number)."""
    status: Counter[str] = Counter()
    priority: Counter[str] = Counter()
    breached: Counter[bool] = Counter()
    for of_status, of_priority, of_breached, number in cells:
        status[of_status] += number
        priority[of_priority] += number
        breached[of_breached] += number
    return Counts(
        open=status.total(),
        breached=breached[True],
        status=dict(sorted(status.items())),
        priority=dict(sorted(priority.items())),
    )


def _actions(
    desk: Desk, rows: Sequence[QueueRow], caller: Caller
) -> dict[str, list[str]]:
    """Return the commands that rows allow, for a caller who may give commands."""
    person, now = person_of(caller), look_up_of(desk)
    found = dict[str, list[str]]()
    for row in rows:
        if set(COMMANDERS).isdisjoint(caller.scopes_at(place_of_row(row))):
            continue
        standing = Standing(
            row.status,
            row.acknowledged_at is not None,
            row.level,
            row.accepted_by,
            may_say_of_row(desk, row, person, now),
        )
        if verbs := possible_from_row(standing, person):
            found[row.ref] = verbs
    return found


def _page(
    desk: Desk, queue: QueueName, filters: Filters, query: PageQuery, sight: Sight
) -> QueuePage:
    require_order(filters, query.order)
    with snapshot(desk.log) as cursor:
        epoch = read_epochs(cursor).newest.label
        schema, upto = known_to(cursor, QUEUE, query.min_position)
        orders = [query.order] if query.order else _orders(desk, cursor)
        order, key = _beginning(queue, filters, query.cursor, orders, epoch)
        question = digest(queue, filters, order)
        cells = counts(cursor, schema, queue, sight)
        index, upto = word_index(desk, cursor, filters, query.min_position, upto)
        part = Part(key, query.limit, desk.clock(), order, index)
        found = page(cursor, schema, queue, filters, part, sight)
        if not cells and not found.rows:
            _require_team(desk, cursor, queue, sight)
        rows = redacted_rows(desk.log, cursor, sight, found.rows)
    return QueuePage(
        items=rows,
        next_cursor=cursors.write(question, found.more, epoch) if found.more else None,
        order=order,
        counts=_counts(cells),
        as_of=upto,
    )


def word_index(
    desk: Desk, cursor: Cursors, filters: Filters, min_position: int, upto: AsOf
) -> tuple[WordIndex | None, AsOf]:
    """Return the index of words if filters search it, and up to where it knows."""
    if not searches_words(filters):
        return None, upto
    schema, indexed = known_to(cursor, WORDS, min_position)
    index = WordIndex(desk.log.vault, schema)
    return index, min(upto, indexed, key=attrgetter("position"))


def _count(
    desk: Desk, queue: QueueName, filters: Filters, min_position: int, sight: Sight
) -> QueueCount:
    require_order(filters, None)
    with snapshot(desk.log) as cursor:
        schema, upto = known_to(cursor, QUEUE, min_position)
        index, upto = word_index(desk, cursor, filters, min_position, upto)
        cells = matching_counts(cursor, schema, queue, filters, sight, index)
        if not cells:
            _require_team(desk, cursor, queue, sight)
    found = _counts(cells)
    is_open = standing(filters) is Lifecycle.OPEN
    counts = found if is_open else found.model_copy(update={"open": 0})
    return QueueCount(matching=found.open, counts=counts, as_of=upto)


def require_order(filters: Filters, order: QueueOrder | None) -> None:
    """Refuse open and ended incidents together, and an order for ended ones."""
    try:
        ended = standing(filters) is Lifecycle.ENDED
    except MixedStanding as error:
        raise refused(
            "status",
            "mixed_standing",
            "open and ended incidents are in different orders: ask for them apart",
            "closed, cancelled and merged do not go with the others",
        ) from error
    if ended and order is not None:
        raise refused(
            "order",
            "ended_order",
            "ended incidents are always newest first: leave `order` out",
            "it sorts open incidents only",
        )


def _orders(desk: Desk, cursor: Cursors) -> list[QueueOrder]:
    """Return the order of the policy in force, then those of earlier policies."""
    policy = policy_in_force(desk.log, cursor)
    first = policy.desk.queue_order if policy else BY_WORKING_TIME
    return [first, *(each for each in get_args(QueueOrder) if each != first)]


def _beginning(
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
        question = digest(queue, filters, order)
        try:
            return order, cursors.read(question, after, standing(filters), epoch)
        except OtherEpoch as error:
            raise HttpError(410, str(error), code="other_epoch") from error
        except cursors.BadCursor as error:
            wrong.append(error)
    raise HttpError(400, str(wrong[0]), code="cursor") from wrong[0]


def _require_team(desk: Desk, cursor: Cursors, queue: QueueName, sight: Sight) -> None:
    if queue.kind != "team":
        return
    if queue.of not in {*filter(sight.sees_team, teams(desk.log, cursor))}:
        raise HttpError(
            404,
            f"there is no queue {queue.of}: GET /v1/queues lists them",
            code="unknown_queue",
        )


def _loads(desk: Desk, min_position: int, sight: Sight) -> Loads:
    with snapshot(desk.log) as cursor:
        schema, upto = known_to(cursor, QUEUE, min_position)
        policy = policy_in_force(desk.log, cursor)
        found = load(
            cursor, schema, desk.clock(), policy.teams if policy else {}, sight
        )
    return Loads(
        items=found,
        definitions=dict(DEFINITIONS),
        as_of=upto,
    )
