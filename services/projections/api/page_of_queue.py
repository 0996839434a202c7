"""One page of a queue, from a snapshot of the read model `queue`."""

from collections.abc import Sequence
from typing import Any, NamedTuple, get_args

from psycopg import Cursor

from services.projections.api.answers import Answer, AsOfAnswer, Counts
from services.projections.api.asked import behind
from services.projections.api.counting import counts_of
from services.projections.api.desk import Desk
from services.projections.generations import AsOf, as_of, live
from services.projections.policy_in_force import policy_in_force
from services.projections.queue import cursor as cursors
from services.projections.queue.filters import (
    BY_WORKING_TIME,
    Filters,
    MixedStanding,
    QueueName,
    Standing,
    digest,
    standing,
)
from services.projections.queue.page import Part, counts, page
from services.projections.queue.row import QueueRow
from services.projections.read_models import QUEUE
from services.projections.snapshots import snapshot
from services.projections.teams import teams
from shared.domain.policy.teams import QueueOrder
from shared.eventlog.epochs import OtherEpoch, read_epochs
from shared.http.problem_details import HttpError


class QueuePage(Answer):
    """Part of a queue: open incidents most urgent first, ended ones newest first."""

    items: list[QueueRow]
    next_cursor: str | None
    """Where the next page begins; none at the end of the queue."""
    counts: Counts
    as_of: AsOfAnswer


class PartAsked(NamedTuple):
    """Which part of a queue is asked for, in which order."""

    after: str | None
    limit: int
    order: QueueOrder | None
    min_position: int


def read_page(
    desk: Desk, queue: QueueName, filters: Filters, wanted: PartAsked
) -> QueuePage:
    """Return a page. `HttpError` 400, 404, 422 or 503 where there is none; blocks."""
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
    """Return the live schema and how far it is; `HttpError` 503 if not far enough."""
    schema = live(cursor, QUEUE).schema
    known = as_of(cursor, schema)
    if known.position < min_position:
        raise behind("the queue", known.position, min_position)
    return schema, known


def _require_order(filters: Filters, order: QueueOrder | None) -> None:
    """Refuse what has no order of its own."""
    try:
        ended = standing(filters) is Standing.ENDED
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
    """Return the order of the policy in force, then those it may have had before."""
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
    """Return the order of the pages that a cursor goes on from, and where it does.

    They go on as they began, also when another policy was applied meanwhile.
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
