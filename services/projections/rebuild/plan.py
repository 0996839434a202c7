"""What a build of a generation has to do, and has done: kept beside its tables.

A build that was interrupted, by an upgrade given up or a killed process, is taken up
again: each part of the log is folded once, in the transaction that says so. The plan
stays with the generation, as a lock on it may take as long as a backup.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from services.projections.generations import ReadModel, generations
from shared.database.cursors import Cursors
from shared.eventlog.log import EventLog, Row


class Chunk(NamedTuple):
    """Streams of `kinds` whose names after the kind lie between two bounds."""

    number: int
    """The number of this part in its build."""
    kinds: Sequence[str]
    after: str
    last: str


class FoldCount(NamedTuple):
    """The size of one part of the log."""

    events: int
    parked: int


class Build(NamedTuple):
    """A build that was begun: of every event up to `position`, which has this chain."""

    schema: str
    position: int
    chain: bytes | None
    recorded_at: datetime | None
    indexed: int
    """How many of the statements that complete its tables were run."""


_BUILD = """
CREATE TABLE {schema}.build (
    shape int, position bigint, chain bytea, recorded_at timestamptz, skipped text,
    indexed int NOT NULL DEFAULT 0
)
"""
_PARTS = """
CREATE TABLE {schema}.parts (
    number int PRIMARY KEY, kinds text[], after text, last text,
    events int, parked int  -- none: it is not folded
)
"""
_BEGUN = """
INSERT INTO {schema}.build (shape, position, chain, recorded_at, skipped)
VALUES (%s, %s, %s, %s, %s)
"""
_PART = (
    "INSERT INTO {schema}.parts (number, kinds, after, last) VALUES (%s, %s, %s, %s)"
)
_FOUND = """
SELECT position, chain, recorded_at, indexed FROM {schema}.build
WHERE shape = %s AND skipped = %s
"""
_SKIPPED = """
SELECT count(*) || '/' || coalesce(max(position), 0) FROM rm.skipped WHERE reader = %s
"""
_FOLDED = """
UPDATE {schema}.parts SET events = %s, parked = %s WHERE number = %s AND events IS NULL
"""
_COUNTS = "SELECT events, parked FROM {schema}.parts WHERE number = %s"
_DONE = """
SELECT coalesce(sum(events), 0)::bigint, coalesce(sum(parked), 0)::bigint
FROM {schema}.parts
"""
_LEFT = """
SELECT number, kinds, after, last FROM {schema}.parts WHERE events IS NULL
ORDER BY number
"""


def begin(
    cursor: Cursors,
    model: ReadModel[Any],
    schema: str,
    last: Row | None,
    parts: Sequence[Chunk],
) -> Build:
    """Write down the build of `schema` from `parts` of the log up to `last`.

    In the caller's transaction: a plan is whole, or there is none.
    """
    for statement in (_BUILD, _PARTS):
        cursor.execute(statement.format(schema=schema))
    build = Build(schema, 0, None, None, 0)
    if last:
        build = Build(schema, last.position, last.chain, last.recorded_at, 0)
    place = (build.position, build.chain, build.recorded_at)
    given = (model.shape, *place, _skipped(cursor, model))
    cursor.execute(_BEGUN.format(schema=schema), given)
    cursor.executemany(_PART.format(schema=schema), parts)
    return build


def unfinished(
    cursor: Cursors, log: EventLog, model: ReadModel[Any], finished: set[str | None]
) -> Build | None:
    """Return the newest build that was interrupted, if it can be taken up again.

    Not if the tables or the log have changed, or another event was skipped since.
    """
    names = [each for each in generations(cursor, model.name) if each not in finished]
    if not names or not _exists(cursor, f"{names[-1]}.build"):
        return None
    given = (model.shape, _skipped(cursor, model))
    row = cursor.execute(_FOUND.format(schema=names[-1]), given).fetchone()
    if row is None:
        return None
    position, chain, recorded_at, indexed = row
    if position and [each.chain for each in log.rows_since(position - 1, 1)] != [chain]:
        return None
    return Build(names[-1], position, chain, recorded_at, indexed)


def fold_once(
    cursor: Cursors, schema: str, chunk: Chunk, count: FoldCount
) -> FoldCount | None:
    """Write down that a part is folded; return the count if it was folded before.

    The answer of the process that did it was lost, or it is late.
    """
    given = (*count, chunk.number)
    if cursor.execute(_FOLDED.format(schema=schema), given).rowcount:
        return None
    row = cursor.execute(_COUNTS.format(schema=schema), (chunk.number,)).fetchone()
    assert row is not None  # noqa: S101 # parts are never deleted
    return FoldCount(*row)


def folded(cursor: Cursors, schema: str) -> FoldCount:
    """Return how much of the log is folded."""
    return FoldCount(
        *(cursor.execute(_DONE.format(schema=schema)).fetchone() or (0, 0))
    )


def left(cursor: Cursors, schema: str) -> Sequence[Chunk]:
    """Return the parts that are not folded yet."""
    return [
        Chunk(*row) for row in cursor.execute(_LEFT.format(schema=schema)).fetchall()
    ]


def has_indexed(cursor: Cursors, schema: str, number: int) -> None:
    """Write down how many of the statements that complete the tables were run."""
    cursor.execute(f"UPDATE {schema}.build SET indexed = %s", (number,))  # noqa: S608 # our own names


def _skipped(cursor: Cursors, model: ReadModel[Any]) -> str:
    row = cursor.execute(_SKIPPED, (model.name,)).fetchone()
    return str(row[0]) if row else ""


def _exists(cursor: Cursors, table: str) -> bool:
    row = cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    return row == (True,)
