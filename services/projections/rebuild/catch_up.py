"""Brings a generation that nobody follows yet up to a position, as its reader would."""

from collections.abc import Sequence
from typing import Any

from services.projections.read_model import Cursors, ReadModel
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog, Row
from shared.eventlog.readers.position import Bookmark, PoisonEvent, Tracked, apply_rows

BATCH = 1_000


def catch_up(
    log: EventLog, model: ReadModel[Any], schema: str, position: int
) -> Tracked:
    """Apply what is missing up to `position`, no event more; return where it is."""
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
