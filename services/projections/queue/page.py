"""Reads one page of a queue and its counts, by index, whatever their number."""

from collections.abc import Sequence
from typing import Any

from psycopg import Cursor

from services.projections.queue.counts import (
    ALL,
    UNASSIGNED,
    person_queue,
    team_queue,
)
from services.projections.queue.cursor import Key
from services.projections.queue.filters import Filters, QueueName, Standing, standing
from services.projections.queue.row import BREACHED, RANKS, QueueRow, ranks
from services.projections.queue.store import FIELDS, from_columns
from services.projections.queue.tables import (
    COUNTS,
    DUE,
    ENDED_ORDER,
    OPEN_ORDER,
    ROWS,
)
from shared.references import is_incident_ref

Where = tuple[str, tuple[object, ...]]
_AFTER = (
    f"({OPEN_ORDER}) >"
    f" (%s::smallint, {DUE.format('%s::timestamptz')}, %s, %s::boolean, %s, %s)"
)


def page(
    cursor: Cursor[tuple[Any, ...]],
    schema: str,
    queue: QueueName,
    filters: Filters,
    after: Key | None,
    limit: int,
) -> list[QueueRow]:
    """Return up to `limit` rows that come after the key `after`, in order."""
    order = standing(filters)
    parts = [
        *_in_queue(queue),
        *_matching(filters),
        *(_open(filters, after) if order is Standing.OPEN else _ended(after)),
    ]
    by = OPEN_ORDER if order is Standing.OPEN else ENDED_ORDER
    rows = cursor.execute(
        f"SELECT {', '.join(FIELDS)} FROM {schema}.{ROWS}"  # noqa: S608 # our own names
        f" WHERE {' AND '.join(text for text, _ in parts)} ORDER BY {by} LIMIT %s",
        [*(value for _, values in parts for value in values), limit],
    )
    return [from_columns(row) for row in rows]


def counts(
    cursor: Cursor[tuple[Any, ...]], schema: str, queue: QueueName
) -> Sequence[tuple[str, str, bool, int]]:
    """Return (status, priority, breached, number) of the open ones of a queue."""
    return cursor.execute(
        f"SELECT status, priority, breached, n FROM {schema}.{COUNTS}"  # noqa: S608 # our own names
        " WHERE queue = %s AND n > 0 ORDER BY status, priority",
        (_stored_name(queue),),
    ).fetchall()


def all_counts(
    cursor: Cursor[tuple[Any, ...]], schema: str, person: str | None
) -> Sequence[tuple[str, str, str, bool, int]]:
    """Return (queue, status, priority, breached, number) of what `person` can see."""
    return cursor.execute(
        f"SELECT queue, status, priority, breached, n FROM {schema}.{COUNTS}"  # noqa: S608 # our own names
        " WHERE n > 0 AND (queue = ANY(%s) OR queue LIKE 'team:%%') ORDER BY 1, 2, 3",
        ([ALL, UNASSIGNED, person_queue(person or "")],),
    ).fetchall()


def _stored_name(queue: QueueName) -> str:
    match queue:
        case QueueName("team", str(team)):
            return team_queue(team)
        case QueueName("mine", str(person)):
            return person_queue(person)
        case QueueName(kind):
            return kind


def _in_queue(queue: QueueName) -> list[Where]:
    match queue:
        case QueueName("team", team):
            return [("team = %s", (team,))]
        case QueueName("mine", person):
            return [("assignee = %s", (person,))]
        case QueueName("unassigned"):
            return [("assignee IS NULL", ())]
        case _:
            return []


def _matching(filters: Filters) -> list[Where]:
    named = {
        "assignee": filters.assignee,
        "service": filters.service,
        "client": filters.client,
        "reporter": filters.reporter,
        "level": filters.level,
        "breached": filters.breached,
    }
    where: list[Where] = [
        (f"{k} = %s", (v,)) for k, v in named.items() if v is not None
    ]
    where += _any_of("priority", filters.priority)
    where += _any_of("status", filters.status)
    if filters.q is not None and is_incident_ref(filters.q.upper()):
        where.append(("ref = %s", (filters.q.upper(),)))
    elif filters.q is not None:
        where.append(("title ILIKE %s", (f"%{_literal(filters.q)}%",)))
    return where


def _any_of(name: str, values: Sequence[str]) -> list[Where]:
    match [str(value) for value in values]:
        case []:
            return []
        case [one]:
            # `=` tells the planner that an index beginning with it is in page order.
            return [(f"{name} = %s", (one,))]
        case several:
            return [(f"{name} = ANY(%s)", (several,))]


def _literal(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _open(filters: Filters, after: Key | None) -> list[Where]:
    asked = frozenset[int]().union(*map(ranks, filters.status)) or RANKS
    if filters.breached is not None:
        asked -= {1} if filters.breached else {BREACHED}
    # It implies what the partial indexes ask for, `rank IS NOT NULL`. Said beside it,
    # PostgreSQL would expect half the rows, and sort them all rather than take them in
    # order.
    where: list[Where] = [("rank = ANY(%s::smallint[])", (sorted(asked),))]
    if after is not None:
        where.append((_AFTER, after))
    return where


def _ended(after: Key | None) -> list[Where]:
    where: list[Where] = [("rank IS NULL", ())]
    if after is not None:
        where.append(("(ended_at, ref) < (%s, %s)", after))
    return where
