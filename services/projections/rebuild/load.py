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
from services.projections.rebuild.fold import Chunk, FoldCount, Logs, chunks, fold
from services.projections.rebuild.worker import Task, fold_in_processes
from shared.database.table import Cursors
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog, Row
from shared.eventlog.readers.position import Bookmark, PoisonEvent, Tracked, apply_rows

BATCH = 1_000
PROCESSES_MAX = 8
_INDEX_MEMORY = "256MB"

ReportProgress = Callable[[str, int, int], None]
"""Receives the progress of a rebuild: the stage, how much is done, of how much."""


def catch_up(
    log: EventLog, model: ReadModel[Any], schema: str, position: int
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
            tracked = apply_rows(log, bookmark, apply, tracked, part)
        except PoisonEvent:
            size = len(part) // 2
            continue
        rows = rows[size:]
    return tracked


_TRACK = """
UPDATE {schema}.tracking SET position = %s, chain = %s, recorded_at = %s
WHERE reader = %s
"""


def load(
    source: Source,
    cursor: Cursors,
    model: ReadModel[Any],
    schema: str,
    last: Row | None,
    report: ReportProgress,
) -> FoldCount:
    """Fill `schema` with all events up to `last`, which becomes its position.

    Every part is a separate transaction: a killed rebuild leaves a schema that nobody
    reads, and the next one drops it.
    """
    parts = chunks(cursor, source.chunk_events) if last else iter(())
    done = FoldCount(0, 0)
    upto = last.position if last else 0
    report("fold", 0, upto)
    for folded in _folded(source, model, schema, parts, upto):
        done = FoldCount(done.events + folded.events, done.parked + folded.parked)
        report("fold", done.events, upto)
    cursor.execute(f"SET maintenance_work_mem = '{_INDEX_MEMORY}'")
    indexes = model.indexes(schema)
    for number, statement in enumerate(indexes):
        report("index", number, len(indexes))
        cursor.execute(statement)
    report("index", len(indexes), len(indexes))
    if last:
        place = (last.position, last.chain, last.recorded_at, model.name)
        cursor.execute(_TRACK.format(schema=schema), place)
    return done


def _folded(
    source: Source,
    model: ReadModel[Any],
    schema: str,
    parts: Iterator[Chunk],
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
    yield from fold_in_processes(task, parts, processes)
