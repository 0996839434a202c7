"""Fills an empty generation from the log, and brings it up to a position.

All cores fold parts of the log, then indexes are created. Later events are applied as
the reader of the generation would do.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import Any

from services.projections.read_model import Cursors, ReadModel
from services.projections.rebuild.fold import (
    CHUNK_EVENTS,
    Chunk,
    FoldCount,
    Logs,
    chunks,
    fold,
)
from services.projections.rebuild.processes import Task, fold_in_processes
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog, Row
from shared.eventlog.readers.position import Bookmark, PoisonEvent, Tracked, apply_rows
from shared.vault.master_keys import MasterKeys

BATCH = 1_000


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
    def apply(cursor: Cursors, entries: Sequence[Entry]) -> None:
        model.apply(cursor, bookmark.schema, entries)

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


PROCESSES_MAX = 8
_INDEX_MEMORY = "256MB"

_TRACK = """
UPDATE {schema}.tracking SET position = %s, chain = %s, recorded_at = %s
WHERE reader = %s
"""

Told = Callable[[str, int, int], None]
"""Receives the progress of a rebuild: the stage, how much is done, of how much."""


@dataclass(frozen=True)
class Source:
    """The log that a rebuild reads: its address and an open connection."""

    dsn: str
    master: MasterKeys | None
    log: EventLog
    chunk_events: int = CHUNK_EVENTS


def load(
    source: Source,
    cursor: Cursors,
    model: ReadModel[Any],
    schema: str,
    last: Row | None,
    told: Told,
) -> FoldCount:
    """Fill `schema` with all events up to `last`, which becomes its position.

    Every part is a separate transaction: a killed rebuild leaves a schema that nobody
    reads, and the next one drops it.
    """
    parts = chunks(cursor, source.chunk_events) if last else iter(())
    done = FoldCount(0, 0)
    upto = last.position if last else 0
    told("fold", 0, upto)
    for folded in _folded(source, model, schema, parts, upto):
        done = FoldCount(done.events + folded.events, done.parked + folded.parked)
        told("fold", done.events, upto)
    cursor.execute(f"SET maintenance_work_mem = '{_INDEX_MEMORY}'")
    indexes = model.indexes(schema)
    for number, statement in enumerate(indexes):
        told("index", number, len(indexes))
        cursor.execute(statement)
    cursor.execute(f"ANALYZE {schema}.{model.copied.partition(' ')[0]}")
    told("index", len(indexes), len(indexes))
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
    first, second = next(parts, None), next(parts, None)
    if first is None:
        return
    if second is None:  # fold a single part here: starting a process takes longer
        with closing(EventLog.open(source.dsn, pool_size=1)) as sealed:
            yield fold(Logs(source.log, sealed), model, schema, first, upto)
        return
    task = Task(source.dsn, source.master, model.name, schema, upto)
    processes = min(os.cpu_count() or 1, PROCESSES_MAX)
    yield from fold_in_processes(task, chain((first, second), parts), processes)
