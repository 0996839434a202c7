"""One page of a queue, from a snapshot of the read model `queue`."""

from typing import Any

from psycopg import Cursor

from services.projections.api.answers import Answer, AsOfAnswer, Counts
from services.projections.api.asked import behind
from services.projections.api.counting import counts_of
from services.projections.api.desk import Desk
from services.projections.generations import AsOf, as_of, live
from services.projections.queue import cursor as cursors
from services.projections.queue.filters import (
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
from shared.epochs import OtherEpoch, read_epochs
from shared.problem import Problem


class QueuePage(Answer):
    """Part of a queue: open incidents most urgent first, ended ones newest first."""

    items: list[QueueRow]
    next_cursor: str | None
    """Where the next page begins; none at the end of the queue."""
    counts: Counts
    as_of: AsOfAnswer


def read_page(
    desk: Desk,
    queue: QueueName,
    filters: Filters,
    after: str | None,
    limit: int,
    min_position: int,
) -> QueuePage:
    """Return a page. `Problem` 400, 404, 422 or 503 where there is none; blocks."""
    order = _order(filters)
    asked = digest(queue, filters)
    with snapshot(desk.log) as cursor:
        epoch = read_epochs(cursor).newest.label
        key = _key(asked, after, order, epoch)
        schema, known = behind_unless(cursor, min_position)
        cells = counts(cursor, schema, queue)
        part = Part(key, limit, desk.clock())
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
    """Return the live schema and how far it is; `Problem` 503 if not far enough."""
    schema = live(cursor, QUEUE).schema
    known = as_of(cursor, schema)
    if known.position < min_position:
        raise behind("the queue", known.position, min_position)
    return schema, known


def _order(filters: Filters) -> Standing:
    try:
        return standing(filters)
    except MixedStanding as error:
        raise Problem(
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


def _key(
    asked: str, after: str | None, order: Standing, epoch: str
) -> cursors.Key | None:
    try:
        return None if after is None else cursors.read(asked, after, order, epoch)
    except OtherEpoch as error:
        raise Problem(410, str(error), code="other_epoch") from error
    except cursors.BadCursor as error:
        raise Problem(400, str(error), code="cursor") from error


def _require_team(
    desk: Desk, cursor: Cursor[tuple[Any, ...]], queue: QueueName
) -> None:
    if queue.kind == "team" and queue.of not in teams(desk.log, cursor):
        raise Problem(
            404,
            f"there is no queue {queue.of}: GET /v1/queues lists them",
            code="unknown_queue",
        )
