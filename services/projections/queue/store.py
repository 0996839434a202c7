"""Reads and writes rows and counts of the queue, many at a time.

Counts are the open incidents of each queue by status, priority and broken promise. They
change by the difference between two states of a row, never by a plain increment: a
repeat or a restart cannot make a count differ from its rows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from services.projections.log_queries import policies
from services.projections.queue.order import (
    BREACHED,
    NO_PLACES,
    Places,
    counted_in,
    hours_in,
    name_of,
    places,
    rank,
    versions,
)
from services.projections.queue.projection import project
from services.projections.queue.row import QueueRow, in_stock
from services.projections.queue.search import row_words
from services.projections.queue.tables import COUNTS, FIELDS, HOURS, ROWS, Cell
from shared.database.cursors import Cursors
from shared.domain.identifiers import about
from shared.domain.incident import Status
from shared.eventlog.entry import Entry

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


NAMES = tuple(column.name for column in FIELDS)
"""The names of the columns from which a `QueueRow` is read."""
SELECTED = ", ".join(NAMES)
_values = attrgetter(*NAMES)


def apply(cursor: Cursors, schema: str, entries: Sequence[Entry]) -> None:
    """Apply `entries` to the rows and counts of `schema`."""
    refs = {ref for entry in entries if (ref := about(entry.stream))}
    held = load(cursor, schema, sorted(refs))
    rows: dict[str, QueueRow | None] = {**held}
    for entry in entries:
        if ref := about(entry.stream):
            rows[ref] = project(rows.get(ref), entry)
    # Sorted, so that rows are locked in one order.
    changed = [
        row for ref, row in sorted(rows.items()) if row and row is not held.get(ref)
    ]
    placed = _places(cursor, schema, changed)
    ROWS.write(cursor, schema, map(columns, changed, placed))
    count(cursor, schema, difference((held.get(row.ref), row) for row in changed))


def insert(cursor: Cursors, schema: str, rows: Sequence[QueueRow]) -> None:
    """Insert the rows of incidents of which `schema` has none, and count them."""
    ROWS.copy(cursor, schema, map(columns, rows, _places(cursor, schema, rows)))
    count(cursor, schema, difference((None, row) for row in rows))


def load(cursor: Cursors, schema: str, refs: Sequence[str]) -> Mapping[str, QueueRow]:
    """Return the rows of these incidents by reference."""
    found = cursor.execute(
        f"SELECT {SELECTED} FROM {schema}.{ROWS.name} WHERE ref = ANY(%b)",  # noqa: S608 # our own names
        (list(refs),),
    )
    return {row.ref: row for row in map(from_columns, found)}


def from_columns(columns: Sequence[Any]) -> QueueRow:
    """Return the row from these columns, in the order of `NAMES`."""
    values = dict(zip(NAMES, columns, strict=True))
    return QueueRow(**{**values, "status": Status(values["status"])})


def columns(row: QueueRow, where: Places = NO_PLACES) -> tuple[object, ...]:
    """Return the values of the columns of a row, in the order of its table."""
    # The last ones are those of `Derived`, which takes longer to construct.
    placed = (*where.first, *where.to_resolve)
    return (*_values(row), rank(row), *placed, row_words(row))


def _places(cursor: Cursors, schema: str, rows: Sequence[QueueRow]) -> list[Places]:
    """Return the places of rows, and store their working hours."""
    all_hours = set[str]().union(*map(counted_in, rows))
    held = policies(cursor, versions(all_hours))
    names = {name_of(hours_in(hours, held)): hours for hours in sorted(all_hours)}
    HOURS.write(cursor, schema, names.items())
    return [places(row, held) for row in rows]


def count(cursor: Cursors, schema: str, moved: Counter[Cell]) -> None:
    """Change counts by the differences of the same transaction."""
    cells = ((*cell, n) for cell, n in sorted(moved.items()))
    COUNTS.write(cursor, schema, cells)
