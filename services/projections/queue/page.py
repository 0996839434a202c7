"""Reads one page of a queue and its counts by index, whatever the number of rows."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import product
from typing import NamedTuple, assert_never, get_args

from services.projections.log_queries import policies
from services.projections.queue.expression import Term
from services.projections.queue.filter_fields import Where, conditions
from services.projections.queue.filters import (
    BY_WORKING_TIME,
    Filters,
    Key,
    Lifecycle,
    QueueName,
    conjunction,
    ended_key,
    open_key,
    standing,
    statuses,
)
from services.projections.queue.order import (
    AWAITS_CLOSURE,
    BREACHED,
    NO_HOURS,
    hours_in,
    passed,
    ranks,
    versions,
)
from services.projections.queue.row import QueueRow
from services.projections.queue.search import matching_words, words_condition
from services.projections.queue.store import (
    ALL,
    SELECTED,
    UNASSIGNED,
    from_columns,
    person_queue,
    team_queue,
)
from services.projections.queue.tables import (
    COUNTS,
    ENDED_ORDER,
    HOURS,
    OLDEST_ORDER,
    OPEN_ORDER,
    ROWS,
)
from services.projections.sight import EVERYTHING, Sight
from services.projections.words.search import WordIndex
from shared.database.cursors import Cursors
from shared.domain.policy.priorities import Priority
from shared.domain.policy.teams import QueueOrder

_AFTER = (
    f"({OPEN_ORDER}) > (%s::smallint, %s::bigint + passed, %s, %s::boolean, %s, %s)"
)
_MERGED = OPEN_ORDER.replace("worked", "worked - passed")


class Page(NamedTuple):
    """Rows in order, and the key of the last one if there is a next page."""

    rows: list[QueueRow]
    more: Key | None


class Part(NamedTuple):
    """A part of a queue: the rows after a key, their number, and the instant."""

    after: Key | None
    limit: int
    now: datetime
    order: QueueOrder = BY_WORKING_TIME
    """The order of open rows."""
    word_index: WordIndex | None = None
    """The index of what was written about incidents; None: it is not searched."""


def page(
    cursor: Cursors,
    schema: str,
    queue: QueueName,
    filters: Filters,
    part: Part,
    sight: Sight = EVERYTHING,
) -> Page:
    """Return the matching rows of a queue after the key, in order."""
    where = [*_in_queue(queue), *sight.conditions(schema)]
    where += matching(cursor, schema, filters, part.word_index)
    if standing(filters) is Lifecycle.OPEN:
        asked = _Asked(cursor, schema, where, _ranks(filters), part)
        match part.order:
            case "working_time_left":
                return _by_working_time(asked)
            case "priority":
                return _by_priority(asked, filters)
            case "reported_at":
                return _by_age(asked)
            case _:
                assert_never(part.order)
    where += _ended(part.after)
    found = cursor.execute(
        f"SELECT {SELECTED} FROM {schema}.{ROWS.name}"  # noqa: S608 # our own names
        f" WHERE {_joined(where)} ORDER BY {ENDED_ORDER} LIMIT %s",
        [*_values(where), part.limit + 1],
    ).fetchall()
    rows = [from_columns(columns) for columns in found[: part.limit]]
    return Page(rows, ended_key(rows[-1]) if len(found) > len(rows) else None)


def open_of_people(
    cursor: Cursors,
    schema: str,
    people: Sequence[str],
    clients: Sequence[str],
    limit: int,
    sight: Sight = EVERYTHING,
) -> list[QueueRow]:
    """Return open incidents that these people reported first, or of these clients.

    Those of the people come first, then by priority, the oldest first.
    """
    of_both = "reporter = ANY(%s) OR client = ANY(%s)"
    where: list[Where] = [
        ("rank IS NOT NULL", ()),
        (f"({of_both})", (list(people), list(clients))),
        *sight.conditions(schema),
    ]
    found = cursor.execute(
        f"SELECT {SELECTED} FROM {schema}.{ROWS.name}"  # noqa: S608 # our own names
        f" WHERE {_joined(where)} ORDER BY reporter = ANY(%s) IS TRUE DESC,"
        " priority, reported_at, ref LIMIT %s",
        [*_values(where), list(people), limit],
    ).fetchall()
    return [from_columns(columns) for columns in found]


class _Asked(NamedTuple):
    """A query of open rows, in any order."""

    cursor: Cursors
    schema: str
    where: Sequence[Where]
    ranks: frozenset[int]
    part: Part

    @property
    def counted_at(self) -> datetime:
        """The instant for which the time left is computed: that of the first page."""
        after = self.part.after
        if after is not None and isinstance(after[0], datetime):
            return after[0]
        return self.part.now


_Counted = tuple[QueueRow, int]
"""A row and its remaining working time."""


def _by_working_time(asked: _Asked) -> Page:
    hours = passed_by_hours(asked.cursor, asked.schema, asked.counted_at)
    return _page(asked, _merged(asked, hours))


def _by_priority(asked: _Asked, filters: Filters) -> Page:
    """Return rows by priority, then by remaining working time."""
    hours = passed_by_hours(asked.cursor, asked.schema, asked.counted_at)
    wanted, after = asked.part.limit + 1, asked.part.after
    last = (after[1] == AWAITS_CLOSURE, after[3]) if after else (False, "")
    found: list[_Counted] = []
    for waits, priority in product((False, True), get_args(Priority)):
        some = frozenset(r for r in asked.ranks if (r == AWAITS_CLOSURE) == waits)
        is_asked = not filters.priority or priority in filters.priority
        if not some or not is_asked or (waits, priority) < last:
            continue
        where = [*asked.where, ("priority = %s", (priority,))]
        goes_on = after if (waits, priority) == last else None
        part = Part(goes_on, wanted - len(found) - 1, asked.part.now)
        found += _merged(asked._replace(where=where, ranks=some, part=part), hours)
        if len(found) == wanted:
            break
    return _page(asked, found)


def _by_age(asked: _Asked) -> Page:
    """Return the oldest rows first, by one index."""
    where = [*asked.where, *_open(asked.ranks)]
    if after := asked.part.after:
        text = f"({OLDEST_ORDER}) > (%s::boolean, %s, %s)"
        where.append((text, (after[1] == AWAITS_CLOSURE, *after[5:])))
    found = asked.cursor.execute(
        f"SELECT {SELECTED} FROM {asked.schema}.{ROWS.name}"  # noqa: S608 # our own names
        f" WHERE {_joined(where)} ORDER BY {OLDEST_ORDER} LIMIT %s",
        [*_values(where), asked.part.limit + 1],
    ).fetchall()
    return _page(asked, [(from_columns(columns), 0) for columns in found])


def _page(asked: _Asked, found: Sequence[_Counted]) -> Page:
    shown = found[: asked.part.limit]
    is_more = len(found) > len(shown)
    more = open_key(*shown[-1], asked.counted_at) if is_more else None
    return Page([row for row, _ in shown], more)


def _merged(asked: _Asked, hours: tuple[list[str], list[int]]) -> list[_Counted]:
    """Merge the rows of all calendars by time left: one index scan for each."""
    where = [*asked.where, *_open(asked.ranks)]
    if asked.part.after is not None:
        where.append((_AFTER, asked.part.after[1:]))
    limit = asked.part.limit + 1
    found = asked.cursor.execute(
        f"SELECT {SELECTED}, worked - passed"  # noqa: S608 # our own names
        " FROM unnest(%s::text[], %s::bigint[]) AS counted (hours_name, passed)"
        f" CROSS JOIN LATERAL (SELECT * FROM {asked.schema}.{ROWS.name}"
        f" WHERE hours = hours_name AND {_joined(where)}"
        f" ORDER BY {OPEN_ORDER} LIMIT %s) AS first_of_hours"
        f" ORDER BY {_MERGED} LIMIT %s",
        [*hours, *_values(where), limit, limit],
    ).fetchall()
    return [(from_columns(columns[:-1]), columns[-1]) for columns in found]


def passed_by_hours(
    cursor: Cursors, schema: str, at: datetime
) -> tuple[list[str], list[int]]:
    """Return all working hours, and how much of each had passed at an instant."""
    held = cursor.execute(HOURS.query(schema)).fetchall()
    known = policies(cursor, versions(counted_in for _, counted_in in held))
    found = {name: passed(hours_in(text, known), at) for name, text in held}
    return [NO_HOURS, *found], [0, *found.values()]


def _joined(where: Sequence[Where]) -> str:
    return " AND ".join(text for text, _ in where)


def _values(where: Sequence[Where]) -> list[object]:
    return [value for _, values in where for value in values]


def counts(
    cursor: Cursors, schema: str, queue: QueueName, sight: Sight = EVERYTHING
) -> Sequence[tuple[str, str, bool, int]]:
    """Return (status, priority, breached, number) of a queue's open incidents."""
    if sight.within is not None:
        where = [*_in_queue(queue), *sight.conditions(schema)]
        return _counted(cursor, schema, where)
    return cursor.execute(
        f"SELECT status, priority, breached, n FROM {schema}.{COUNTS.name}"  # noqa: S608 # our own names
        " WHERE queue = %s AND n > 0 ORDER BY status, priority",
        (_stored_name(queue),),
    ).fetchall()


def all_counts(
    cursor: Cursors, schema: str, person: str | None
) -> Sequence[tuple[str, str, str, bool, int]]:
    """Return (queue, status, priority, breached, number) of the queues of `person`."""
    return cursor.execute(
        f"SELECT queue, status, priority, breached, n FROM {schema}.{COUNTS.name}"  # noqa: S608 # our own names
        " WHERE n > 0 AND (queue = ANY(%s) OR queue LIKE 'team:%%') ORDER BY 1, 2, 3",
        ([ALL, UNASSIGNED, person_queue(person or "")],),
    ).fetchall()


def matching_counts(
    cursor: Cursors,
    schema: str,
    queue: QueueName,
    filters: Filters,
    sight: Sight = EVERYTHING,
    index: WordIndex | None = None,
) -> Sequence[tuple[str, str, bool, int]]:
    """Return (status, priority, breached, number) of what matches in a queue."""
    is_open = standing(filters) is Lifecycle.OPEN
    where = [*_in_queue(queue), *sight.conditions(schema)]
    where += matching(cursor, schema, filters, index)
    where.append(("rank IS NOT NULL" if is_open else "rank IS NULL", ()))
    return cursor.execute(
        "SELECT status, priority, coalesce(rank = %s, false), count(*)"  # noqa: S608 # our own names
        f" FROM {schema}.{ROWS.name} WHERE {_joined(where)} GROUP BY 1, 2, 3",
        [BREACHED, *_values(where)],
    ).fetchall()


def open_by_assignee(
    cursor: Cursors, schema: str, team: str, sight: Sight
) -> Sequence[tuple[str, int]]:
    """Return (person, number) of a team's open incidents, by person."""
    where = [*_in_queue(QueueName("team", team)), *sight.conditions(schema)]
    where += [("rank IS NOT NULL", ()), ("assignee IS NOT NULL", ())]
    return cursor.execute(
        f"SELECT assignee, count(*) FROM {schema}.{ROWS.name}"  # noqa: S608 # our own names
        f" WHERE {_joined(where)} GROUP BY 1 ORDER BY 1",
        _values(where),
    ).fetchall()


def seen_counts(
    cursor: Cursors, schema: str, person: str | None, sight: Sight
) -> Sequence[tuple[str, str, str, bool, int]]:
    """Return the same, counted from the rows that a reader sees, which are read once.

    A cell may occur several times.
    """
    where = [("rank IS NOT NULL", ()), *sight.conditions(schema)]
    found = cursor.execute(
        "SELECT team, CASE WHEN assignee = %s THEN assignee END, assignee IS NULL,"  # noqa: S608 # our own names
        f" status, priority, rank = {BREACHED}, count(*)"
        f" FROM {schema}.{ROWS.name} WHERE {_joined(where)}"
        " GROUP BY 1, 2, 3, 4, 5, 6",
        [person, *_values(where)],
    )
    return [
        (queue, *cell)
        for team, own, is_nobodys, *cell in found
        for queue in _queues(team, own, is_nobodys=is_nobodys)
    ]


def _queues(team: str, own: str | None, *, is_nobodys: bool) -> Iterator[str]:
    yield ALL
    yield team_queue(team)
    if is_nobodys:
        yield UNASSIGNED
    if own is not None:
        yield person_queue(own)


def _counted(
    cursor: Cursors, schema: str, where: Sequence[Where]
) -> Sequence[tuple[str, str, bool, int]]:
    conditions = [("rank IS NOT NULL", ()), *where]
    return cursor.execute(
        f"SELECT status, priority, rank = {BREACHED}, count(*)"  # noqa: S608 # our own names
        f" FROM {schema}.{ROWS.name} WHERE {_joined(conditions)}"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2",
        _values(conditions),
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


def matching(
    cursor: Cursors, schema: str, filters: Filters, index: WordIndex | None = None
) -> list[Where]:
    """Return the conditions that hold together if an incident matches."""
    search = partial(words_condition, cursor, by_name=filters.by_name, index=index)
    where = [
        each
        for expression in conjunction(filters)
        for each in conditions(expression, search)
    ]
    return where + matching_words(cursor, schema, filters, index)


def _ranks(filters: Filters) -> frozenset[int]:
    wanted = frozenset[int]().union(*map(ranks, statuses(filters)))
    for each in filters.where:
        match each:
            case Term("breached", (True,)):
                wanted -= {1}
            case Term("breached", (False,)):
                wanted -= {BREACHED}
            case _:
                pass
    return wanted


def _open(asked: frozenset[int]) -> list[Where]:
    # This implies `rank IS NOT NULL`, which the partial indexes require. With that
    # condition added, PostgreSQL would expect half the rows, and sort them all instead
    # of reading them in order.
    return [("rank = ANY(%s::smallint[])", (sorted(asked),))]


def _ended(after: Key | None) -> list[Where]:
    where: list[Where] = [("rank IS NULL", ())]
    if after is not None:
        where.append(("(ended_at, ref) < (%s, %s)", after))
    return where
