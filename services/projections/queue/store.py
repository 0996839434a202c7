"""Reads and writes rows and counts of the queue, many at a time.

Counts are the open incidents of each queue by status, priority and broken promise. They
change by the difference between two states of a row, never by a plain increment: a
repeat or a restart cannot make a count differ from its rows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from psycopg import Cursor

from services.projections.log_queries import policies
from services.projections.queue.projection import project
from services.projections.queue.row import (
    BREACHED,
    NO_PLACES,
    Places,
    QueueRow,
    counted_in,
    hours_in,
    in_stock,
    name_of,
    places,
    rank,
    versions,
)
from services.projections.queue.search import row_words
from services.projections.queue.tables import ROWS
from shared.domain.identifiers import about
from shared.domain.incident import Status
from shared.eventlog.entry import Entry


class Cell(NamedTuple):
    """One count: a queue's stored name, a status, a priority.

    `breached`: a promise was broken, and the incident still needs work.
    """

    queue: str
    status: str
    priority: str
    breached: bool


ALL = "all"
UNASSIGNED = "unassigned"


def team_queue(team: str) -> str:
    """Return the stored name of a team's queue."""
    return f"team:{team}"


def person_queue(person: str) -> str:
    """Return the stored name of the queue of incidents assigned to `person`."""
    return f"person:{person}"


def cells(row: QueueRow | None) -> tuple[Cell, ...]:
    """Return the cells that count a row; none once the incident ended."""
    if row is None or not in_stock(row):
        return ()
    own = person_queue(row.assignee) if row.assignee else UNASSIGNED
    breached = rank(row) == BREACHED
    return tuple(
        Cell(queue, row.status, row.priority, breached)
        for queue in (ALL, team_queue(row.team), own)
    )


def difference(
    changes: Iterable[tuple[QueueRow | None, QueueRow | None]],
) -> Counter[Cell]:
    """Return by how much each count changes when rows go from old to new."""
    moved: Counter[Cell] = Counter()
    for old, new in changes:
        was, now = cells(old), cells(new)
        if was != now:
            moved.subtract(was)
            moved.update(now)
    return Counter({cell: n for cell, n in moved.items() if n})


FIELDS = tuple(field.name for field in fields(QueueRow))
_NOT_TEXT = {
    "opened_at": "timestamptz",
    "reported_at": "timestamptz",
    "updated_at": "timestamptz",
    "acknowledged_at": "timestamptz",
    "restored_at": "timestamptz",
    "ended_at": "timestamptz",
    "cycle": "int4",
    "repeats": "int8",
    "version": "int8",
    "position": "int8",
    "user_reported": "bool",
    "due_at": "timestamptz",
    "breached": "bool",
    "flapping": "bool",
    "snoozed_until": "timestamptz",
    "own_team_position": "int8",
    "sla_position": "int8",
    "sla_cycle": "int4",
    "tto_due_at": "timestamptz",
    "ttr_due_at": "timestamptz",
    "tto_breached": "bool",
    "ttr_breached": "bool",
    "help_position": "int8",
    "help_cycle": "int4",
    "help_team_position": "int8",
    "quick_fix": "bool",
    "cause_left": "bool",
    "ttr_left": "int4",
    "rank": "int2",
    "worked": "int8",
    "resolved_by": "int8",
}
_PLACED = ("hours", "worked", "resolved_in", "resolved_by")
COLUMNS = (*FIELDS, "rank", *_PLACED, "words")
TYPES = tuple(_NOT_TEXT.get(name, "text") for name in COLUMNS)
_ARRAYS = ", ".join(f"%b::{type_}[]" for type_ in TYPES)
_SET = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])

_COUNT = """
INSERT INTO {}.counts AS held
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::boolean[], %b::bigint[])
ON CONFLICT (queue, status, priority, breached) DO UPDATE SET n = held.n + excluded.n
"""
_HOURS = """
INSERT INTO {}.hours SELECT * FROM unnest(%b::text[], %b::text[]) ON CONFLICT DO NOTHING
"""
_PUT = f"""
UPDATE {{}}.incidents AS row
SET {", ".join(f"{name} = placed.{name}" for name in _PLACED)}
FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::text[], %b::bigint[])
    AS placed (ref, {", ".join(_PLACED)})
WHERE row.ref = placed.ref
"""  # noqa: S608 # our own names


def apply(
    cursor: Cursor[tuple[Any, ...]], schema: str, entries: Sequence[Entry]
) -> None:
    """Apply `entries` to the rows and counts of `schema`."""
    refs = {ref for entry in entries if (ref := about(entry.stream))}
    held = load(cursor, schema, sorted(refs))
    rows: dict[str, QueueRow | None] = {**held}
    for entry in entries:
        if ref := about(entry.stream):
            rows[ref] = project(rows.get(ref), entry)
    changed = [
        row for ref, row in sorted(rows.items()) if row and row is not held.get(ref)
    ]
    save(cursor, schema, changed, _places(cursor, schema, changed))
    count(cursor, schema, difference((held.get(row.ref), row) for row in changed))


def load(
    cursor: Cursor[tuple[Any, ...]], schema: str, refs: Sequence[str]
) -> Mapping[str, QueueRow]:
    """Return the rows of these incidents by reference."""
    rows = cursor.execute(
        f"SELECT {', '.join(FIELDS)} FROM {schema}.{ROWS} WHERE ref = ANY(%b)",  # noqa: S608 # our own names
        (list(refs),),
    )
    return {row[0]: from_columns(row) for row in rows}


def from_columns(columns: Sequence[Any]) -> QueueRow:
    """Return the row from these columns, in the order of `FIELDS`."""
    values = dict(zip(FIELDS, columns, strict=True))
    return QueueRow(**{**values, "status": Status(values["status"])})


def columns(row: QueueRow, where: Places = NO_PLACES) -> tuple[object, ...]:
    """Return the columns of a row, then its places by working time and its words."""
    placed = (*where.first, *where.to_resolve)
    return (*row.__dict__.values(), rank(row), *placed, row_words(row))


def save(
    cursor: Cursor[tuple[Any, ...]],
    schema: str,
    rows: Sequence[QueueRow],
    placed: Sequence[Places],
) -> None:
    """Insert or replace rows, sorted by reference to lock them in a fixed order."""
    if not rows:
        return
    stored = map(columns, rows, placed)
    arrays = [list(values) for values in zip(*stored, strict=True)]
    cursor.execute(
        f"INSERT INTO {schema}.{ROWS} SELECT * FROM unnest({_ARRAYS})"  # noqa: S608 # our own names
        f" ON CONFLICT (ref) DO UPDATE SET {_SET}",
        arrays,
    )


def put_in_place(
    cursor: Cursor[tuple[Any, ...]], schema: str, rows: Sequence[QueueRow]
) -> None:
    """Set the places of rows that were copied without them."""
    due = [row for row in rows if counted_in(row)]
    placed = [(*first, *last) for first, last in _places(cursor, schema, due)]
    if due:
        refs = [row.ref for row in due]
        arrays = [list(values) for values in zip(*placed, strict=True)]
        cursor.execute(_PUT.format(schema), [refs, *arrays])


def _places(
    cursor: Cursor[tuple[Any, ...]], schema: str, rows: Sequence[QueueRow]
) -> list[Places]:
    """Return the places of rows, and store their working hours."""
    all_hours = set[str]().union(*map(counted_in, rows))
    held = policies(cursor, versions(all_hours))
    names = {name_of(hours_in(hours, held)): hours for hours in sorted(all_hours)}
    if names:
        cursor.execute(_HOURS.format(schema), [list(names), list(names.values())])
    return [places(row, held) for row in rows]


def count(cursor: Cursor[tuple[Any, ...]], schema: str, moved: Counter[Cell]) -> None:
    """Change counts by the differences of the same transaction."""
    cells = [(*cell, n) for cell, n in sorted(moved.items())]
    if cells:
        cursor.execute(
            _COUNT.format(schema), [list(values) for values in zip(*cells, strict=True)]
        )
