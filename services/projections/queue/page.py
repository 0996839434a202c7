"""Reads one page of a queue and its counts, by index, whatever their number."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Cursor

from services.projections.policy_versions import policies
from services.projections.queue.counts import (
    ALL,
    UNASSIGNED,
    person_queue,
    team_queue,
)
from services.projections.queue.cursor import Key, ended_key, open_key
from services.projections.queue.filters import Filters, QueueName, Standing, standing
from services.projections.queue.row import BREACHED, RANKS, QueueRow, ranks
from services.projections.queue.store import FIELDS, from_columns
from services.projections.queue.tables import (
    COUNTS,
    ENDED_ORDER,
    HOURS,
    OPEN_ORDER,
    ROWS,
)
from services.projections.queue.working_order import (
    NO_HOURS,
    hours_in,
    passed,
    versions,
)
from shared.references import is_incident_ref

Where = tuple[str, tuple[object, ...]]
_AFTER = (
    f"({OPEN_ORDER}) > (%s::smallint, %s::bigint + passed, %s, %s::boolean, %s, %s)"
)
_MERGED = OPEN_ORDER.replace("worked", "worked - passed")


class Page(NamedTuple):
    """Rows in order, and the key after which the next page begins; None at the end."""

    rows: list[QueueRow]
    more: Key | None


class Part(NamedTuple):
    """Which part of a queue: so many rows after a key, counted at an instant."""

    after: Key | None
    limit: int
    now: datetime


def page(
    cursor: Cursor[tuple[Any, ...]],
    schema: str,
    queue: QueueName,
    filters: Filters,
    part: Part,
) -> Page:
    """Return the rows of a queue that fit and come after the key, in order."""
    where = [*_in_queue(queue), *_matching(filters)]
    if standing(filters) is Standing.OPEN:
        return _open_page(cursor, schema, [*where, *_open(filters, part.after)], part)
    where += _ended(part.after)
    found = cursor.execute(
        f"SELECT {', '.join(FIELDS)} FROM {schema}.{ROWS}"  # noqa: S608 # our own names
        f" WHERE {_joined(where)} ORDER BY {ENDED_ORDER} LIMIT %s",
        [*_values(where), part.limit + 1],
    ).fetchall()
    rows = [from_columns(columns) for columns in found[: part.limit]]
    return Page(rows, ended_key(rows[-1]) if len(found) > len(rows) else None)


def _open_page(
    cursor: Cursor[tuple[Any, ...]], schema: str, where: Sequence[Where], part: Part
) -> Page:
    """Merge the rows of all hours by working time left: one index scan for each."""
    counted_at = part.now
    if part.after is not None and isinstance(part.after[0], datetime):
        counted_at = part.after[0]
    names, counted = _passed(cursor, schema, counted_at)
    found = cursor.execute(
        f"SELECT {', '.join(FIELDS)}, worked - passed"  # noqa: S608 # our own names
        " FROM unnest(%s::text[], %s::bigint[]) AS counted (hours_name, passed)"
        f" CROSS JOIN LATERAL (SELECT * FROM {schema}.{ROWS}"
        f" WHERE hours = hours_name AND {_joined(where)}"
        f" ORDER BY {OPEN_ORDER} LIMIT %s) AS first_of_hours"
        f" ORDER BY {_MERGED} LIMIT %s",
        [names, counted, *_values(where), part.limit + 1, part.limit + 1],
    ).fetchall()
    shown = [(from_columns(columns[:-1]), columns[-1]) for columns in found]
    shown = shown[: part.limit]
    more = open_key(*shown[-1], counted_at) if len(found) > len(shown) else None
    return Page([row for row, _ in shown], more)


def _passed(
    cursor: Cursor[tuple[Any, ...]], schema: str, at: datetime
) -> tuple[list[str], list[int]]:
    """Return all hours there are, and how much of each had passed at an instant."""
    held = cursor.execute(f"SELECT name, counted_in FROM {schema}.{HOURS}").fetchall()  # noqa: S608 # our own names
    known = policies(cursor, versions(counted_in for _, counted_in in held))
    found = {name: passed(hours_in(text, known), at) for name, text in held}
    return [NO_HOURS, *found], [0, *found.values()]


def _joined(where: Sequence[Where]) -> str:
    return " AND ".join(text for text, _ in where)


def _values(where: Sequence[Where]) -> list[object]:
    return [value for _, values in where for value in values]


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
        "root_cause": filters.root_cause,
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
        where.append((_AFTER, after[1:]))
    return where


def _ended(after: Key | None) -> list[Where]:
    where: list[Where] = [("rank IS NULL", ())]
    if after is not None:
        where.append(("(ended_at, ref) < (%s, %s)", after))
    return where
