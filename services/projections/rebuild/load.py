"""Fills an empty generation from the log, and brings it up to a position.

All cores fold parts of the log, then indexes are created. Later events are applied as
the reader of the generation would do.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

from services.projections.generations import ReadModel
from services.projections.rebuild.builder import Source
from services.projections.rebuild.fold import Logs, fold
from services.projections.rebuild.plan import (
    Build,
    Chunk,
    FoldCount,
    folded,
    has_indexed,
    left,
)
from services.projections.rebuild.worker import Task, fold_in_processes
from shared.database.cursors import Cursors
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog, Row
from shared.eventlog.readers.position import Bookmark, Tracked
from shared.eventlog.readers.transaction import Part, PoisonEvent, apply_rows

BATCH = 1_000
PROCESSES_MAX = 8
_INDEX_MEMORY = "256MB"

STAGES = {
    "fold": "reading the log",
    "index": "making indexes",
    "compare": "comparing",
    "catch_up": "reading what came meanwhile",
}
"""The stages of a build in their order, in words."""
ReportProgress = Callable[[str, int, int], None]
"""Receives the progress of a rebuild: the stage, how much is done, of how much."""


def silently(_stage: str, _done: int, _of: int) -> None:
    """Report nothing."""


def catch_up(
    log: EventLog,
    model: ReadModel[Any],
    schema: str,
    position: int,
    report: ReportProgress = silently,
) -> Tracked:
    """Apply the missing events up to `position` exactly; return the tracked event."""
    bookmark = Bookmark(schema, model.name)
    with log.transaction() as cursor:
        tracked = bookmark.start(cursor)
    while tracked.position < position:
        missing = min(BATCH, position - tracked.position)
        rows = log.rows_since(tracked.position, missing)
        if not rows:
            raise LookupError(f"the log ends before {position}: it is another log")
        tracked = _apply(log, model, bookmark, tracked, rows)
        report("catch_up", tracked.position, position)
    return tracked


def _apply(
    log: EventLog,
    model: ReadModel[Any],
    bookmark: Bookmark,
    tracked: Tracked,
    rows: list[Row],
) -> Tracked:
    bound = model.bound(log.vault)

    def apply(cursor: Cursors, entries: Sequence[Entry]) -> None:
        bound.apply(cursor, bookmark.schema, entries)

    size = len(rows)
    while rows:
        part = rows[:size]
        try:
            tracked = apply_rows(log, Part(bookmark, apply, tracked), part)
        except PoisonEvent:
            size = len(part) // 2
            continue
        rows = rows[size:]
    return tracked


# Not back, where a build was interrupted after it had caught up.
_TRACK = """
UPDATE {schema}.tracking SET position = %s, chain = %s, recorded_at = %s
WHERE reader = %s AND position = 0
"""
# One index of a long log takes minutes, in which nothing else moves.
_INDEXED = """
SELECT coalesce(sum(blocks_done + tuples_done), 0)::bigint
FROM pg_stat_progress_create_index AS made JOIN pg_class ON pg_class.oid = made.relid
WHERE made.datname = current_database()
  AND relnamespace::regnamespace::text ~ ('^rm_' || %s || '_v[0-9]+$')
"""


def index_progress(cursor: Cursors, name: str) -> int:
    """Return how much of an index was made that a read model gets now."""
    (moved,) = cursor.execute(_INDEXED, (name,)).fetchone() or (0,)
    return int(moved)


def load(
    source: Source,
    cursor: Cursors,
    model: ReadModel[Any],
    build: Build,
    report: ReportProgress,
) -> FoldCount:
    """Do what is left of a build; the generation is then at its position.

    Every part is a separate transaction: a killed build leaves a schema that nobody
    reads, and is taken up again or dropped.
    """
    schema, upto = build.schema, build.position
    done = folded(cursor, schema)
    report("fold", done.events, upto)
    for part in _folded(source, model, schema, left(cursor, schema), upto):
        done = FoldCount(done.events + part.events, done.parked + part.parked)
        report("fold", done.events, upto)
    cursor.execute(f"SET maintenance_work_mem = '{_INDEX_MEMORY}'")
    indexes = model.indexes(schema)
    for number, statement in enumerate(indexes):
        report("index", number, len(indexes))
        if number >= build.indexed:
            with cursor.connection.transaction():
                cursor.execute(statement)
                has_indexed(cursor, schema, number + 1)
    report("index", len(indexes), len(indexes))
    if upto:
        place = (upto, build.chain, build.recorded_at, model.name)
        cursor.execute(_TRACK.format(schema=schema), place)
    return done


def _folded(
    source: Source,
    model: ReadModel[Any],
    schema: str,
    parts: Sequence[Chunk],
    upto: int,
) -> Iterator[FoldCount]:
    if upto <= source.chunk_events:  # starting a process takes longer
        with closing(EventLog.open(source.dsn, pool_size=1)) as sealed:
            logs = Logs(source.log, sealed)
            for part in parts:
                yield fold(logs, model, schema, part, upto)
        return
    task = Task(source.dsn, source.master, model.name, schema, upto)
    processes = min(os.cpu_count() or 1, PROCESSES_MAX)
    yield from fold_in_processes(task, iter(parts), processes)
