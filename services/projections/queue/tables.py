"""Tables of the queue: rows, counts, and the indexes that keep every page fast.

Each queue and each single filter has an index in the order of the page, so a page of
fifty rows reads fifty index entries, however many incidents there are. A rebuild
creates the indexes after it has loaded the rows. Open and ended incidents have separate
indexes, since nearly all incidents are ended and nearly all reads are about open ones.
"""

from collections.abc import Sequence
from typing import NamedTuple

from services.projections.queue.row import QueueRow
from shared.database.table import Column, Int2, Table, columns_of


class Derived(NamedTuple):
    """What follows from a row, stored beside it for indexes: see `order.py`.

    `hours` and `worked` are the place of its promise that is due first; `resolved_in`
    and `resolved_by` that of its promise to resolve, by which load is measured.
    """

    rank: Int2 | None
    hours: str
    worked: int
    resolved_in: str
    resolved_by: int
    words: str


class Cell(NamedTuple):
    """One count: a queue's stored name, a status, a priority.

    `breached`: a promise was broken, and the incident still needs work.
    """

    queue: str
    status: str
    priority: str
    breached: bool


FIELDS = columns_of(QueueRow)
ROWS = Table(
    "incidents",
    columns=(*FIELDS, *columns_of(Derived)),
    key=("ref",),
    fillfactor=85,  # free space on a page allows updates without index changes (HOT)
)
COUNTS = Table(
    "counts",
    columns=(*columns_of(Cell), Column("n", "int8")),
    key=Cell._fields,
    repeated="is_added",
    fillfactor=30,
)
HOURS = Table(
    "hours",
    columns=(Column("name", "text"), Column("counted_in", "text")),
    key=("name",),
    repeated="is_ignored",
)
"""All working hours that rows ever used, each with one of its names."""
_SEARCH = """
search tsvector NOT NULL
GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED
"""

OPEN_ORDER = "rank, worked, priority, (NOT user_reported), reported_at, ref"
"""The order of rows with the same working hours; see `order.py`."""
OLDEST_ORDER = "(rank = 2), reported_at, ref"
"""The order of open rows with the oldest first; 2 is `AWAITS_CLOSURE`."""
ENDED_ORDER = "ended_at DESC, ref DESC"
NEWEST_FIRST = "length(ref) DESC, ref DESC"
"""References have six digits or more: in the order of text 1000000 precedes 999999."""
_UNSAMPLED = """
ALTER TABLE {}
ALTER COLUMN title SET STATISTICS 0, ALTER COLUMN label_words SET STATISTICS 0,
ALTER COLUMN words SET STATISTICS 0, ALTER COLUMN search SET STATISTICS 0
"""
"""Otherwise ANALYZE keeps words as samples, where they could not be erased."""
_PENDING_KB = 256
"""The size of an index's list of pending words, which every search scans."""
_OPEN_FILTERS = (
    "status",
    "priority",
    "level",
    "service",
    "client",
    "team",
    "assignee",
    "reporter",
)
_ENDED_FILTERS = ("service", "client", "team", "assignee", "reporter")


def tables(schema: str) -> Sequence[str]:
    """Return the statements that create the tables, to run before inserting rows."""
    return (
        ROWS.create_statement(schema, _SEARCH),
        _UNSAMPLED.format(f"{schema}.{ROWS.name}"),
        HOURS.create_statement(schema, HOURS.primary_key),
        COUNTS.create_statement(schema, COUNTS.primary_key),
    )


def indexes(schema: str) -> Sequence[str]:
    """Return the statements that create the indexes, to run after inserting rows."""
    rows = f"{schema}.{ROWS.name}"
    is_open, is_ended = "WHERE rank IS NOT NULL", "WHERE rank IS NULL"
    words = f"USING gin (search) WITH (gin_pending_list_limit = {_PENDING_KB})"
    return (
        ROWS.key_statement(schema),
        f"CREATE INDEX open_all ON {rows} (hours, {OPEN_ORDER}) {is_open}",
        f"CREATE INDEX open_oldest ON {rows} ({OLDEST_ORDER}) {is_open}",
        # With `assignee IS NULL` in an index key PostgreSQL would sort the result.
        (
            f"CREATE INDEX open_unassigned ON {rows} (hours, {OPEN_ORDER})"
            f" {is_open} AND assignee IS NULL"
        ),
        *(
            f"CREATE INDEX open_{name} ON {rows} ({name}, hours, {OPEN_ORDER})"
            f" {is_open}"
            for name in _OPEN_FILTERS
        ),
        # Few have an open root cause: the index contains only those.
        *(
            f"CREATE INDEX {name}_root_cause ON {rows} (root_cause, {order})"
            f" {part} AND root_cause IS NOT NULL"
            for name, order, part in (
                ("open", f"hours, {OPEN_ORDER}", is_open),
                ("ended", ENDED_ORDER, is_ended),
            )
        ),
        f"CREATE INDEX ended_all ON {rows} ({ENDED_ORDER}) {is_ended}",
        *(
            f"CREATE INDEX ended_{name} ON {rows} ({name}, {ENDED_ORDER}) {is_ended}"
            for name in _ENDED_FILTERS
        ),
        f"CREATE INDEX newest ON {rows} ({NEWEST_FIRST})",
        f"CREATE INDEX open_words ON {rows} {words} {is_open}",
        f"CREATE INDEX ended_words ON {rows} {words} {is_ended}",
        f"ANALYZE {rows}",
    )
