"""One transaction of a reader: the tracked position and what it changes, together.

An event that cannot be applied is parked, with the later ones of its stream, so that
it holds up nobody else's.
"""

from collections.abc import Callable, Sequence
from typing import Any

from psycopg import Cursor

from shared.entry import Entry
from shared.event_log import EventLog, Row
from shared.log_errors import StaleVersion, away, is_cancelled, is_unavailable
from shared.telemetry import wordless
from shared.tracking import Bookmark, Overtaken, Tracked, Unrecorded

Apply = Callable[[Cursor[tuple[Any, ...]], Sequence[Entry]], None]
"""Changes tables by entries in order, inside a transaction it neither ends nor leaves.

It may be called again with the same entries after it was undone. Own rows first,
sorted by key; an append to the log last.
"""

BEHIND = "parked behind an earlier event of its stream"


class Poisoned(Exception):
    """Among these events is one that cannot be applied: try fewer, to find it."""


def apply_rows(
    log: EventLog,
    bookmark: Bookmark,
    apply: Apply,
    before: Tracked,
    rows: Sequence[Row],
    *,
    park_cancelled: bool = False,
) -> Tracked:
    """Apply `rows`, which follow `before`, and move past them; return where we are.

    All or nothing. Raises `Overtaken` if another process was first, `Unrecorded` if
    the log does not hold them, `Poisoned` if several rows include one to be parked (a
    single one is parked), `Unavailable`. `park_cancelled`: park a single event too if
    PostgreSQL cancels one of its statements. Blocks.
    """
    entries, error = _read(log, rows)
    with log.transaction() as cursor:
        after = bookmark.move(cursor, before, rows[-1])
        if after.parked_streams:
            streams = sorted({row.stream for row in rows})
            parked = bookmark.parked_among(cursor, streams)
            behind = [row for row in rows if row.stream in parked]
            entries = [entry for entry in entries if entry.stream not in parked]
            if behind:
                after = bookmark.park(cursor, behind, BEHIND)
            if len(behind) == len(rows):
                return after
        if error is None and entries:
            error = _apply(log, cursor, apply, entries, park_cancelled=park_cancelled)
        if error is not None:
            if len(rows) > 1:
                raise Poisoned from error
            after = bookmark.park(cursor, rows, wordless(error))
    return after


def _read(
    log: EventLog, rows: Sequence[Row]
) -> tuple[Sequence[Entry], Exception | None]:
    """Return the rows as entries, or the error of one that cannot be read."""
    try:
        return log.entries(rows), None
    except Exception as error:
        if is_unavailable(error):
            raise away(error) from error
        return [], error


def _apply(
    log: EventLog,
    cursor: Cursor[tuple[Any, ...]],
    apply: Apply,
    entries: Sequence[Entry],
    *,
    park_cancelled: bool,
) -> Exception | None:
    """Apply within a savepoint; return the error of one that cannot be applied."""
    try:
        with log.savepoint(cursor, "batch"):
            apply(cursor, entries)
    except (StaleVersion, Overtaken, Unrecorded):
        raise  # not the event's fault: the same entries will do later, or elsewhere
    except Exception as error:
        may_park = park_cancelled and is_cancelled(error)
        if is_unavailable(error) and not may_park:
            raise away(error) from error
        return error
    return None
