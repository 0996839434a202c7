"""Applies events in one transaction with the position of the reader that follows them.

An event that cannot be applied is parked, with the later ones of its stream, so that it
does not block other streams.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from psycopg import Error
from psycopg.errors import InFailedSqlTransaction

from shared.database.cursors import Cursors
from shared.eventlog.entry import Entry
from shared.eventlog.errors import StaleVersion, away, is_cancelled, is_unavailable
from shared.eventlog.log import EventLog, Row
from shared.eventlog.readers.position import (
    Bookmark,
    MissingEvent,
    Overtaken,
    Tracked,
)
from shared.observability.telemetry import wordless

Apply = Callable[[Cursors, Sequence[Entry]], None]
"""Applies entries to tables, in order, inside the caller's transaction.

It may be called again with the same entries after a rollback. It locks its own rows
first, sorted by key, and appends to the log last.
"""

SkipAgain = Callable[[Cursors, Row], bool]
"""Returns whether an event that cannot be applied was skipped before; if so, skips it.

The tables of a reader may be lost, but not what an administrator decided.
"""

BEHIND = "parked behind an earlier event of its stream"


class PoisonEvent(Exception):
    """One of these events cannot be applied: try smaller batches to find it."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one reader has to do with rows that follow `before`.

    `park_cancelled`: also park a single event if PostgreSQL cancels one of its
    statements.
    """

    bookmark: Bookmark
    apply: Apply
    before: Tracked
    park_cancelled: bool = False


def apply_rows(
    log: EventLog,
    part: Part,
    rows: Sequence[Row],
    skip_again: SkipAgain = lambda _cursor, _row: False,
) -> Tracked:
    """Apply the rows of a reader and move past them; return the position.

    All or nothing. Raises `Overtaken` if another process was first, `MissingEvent` if
    the log does not contain them, `PoisonEvent` if several rows include one that must
    be parked (a single row is parked, unless `skip_again` does that), and
    `Unavailable`. Blocks.
    """
    try:
        return apply_together(log, [part], rows)[0]
    except PoisonEvent as poison:
        if len(rows) > 1:
            raise
        why = poison.__cause__ or poison
    # Only an event that cannot be applied takes a second transaction.
    with log.transaction() as cursor:
        after, parked = _move(part, cursor, rows)
        if parked or _skipped_again(log, cursor, skip_again, rows[0]):
            return after
        return part.bookmark.park(cursor, rows, wordless(why))


LOCK_SECONDS = 0.2
STATEMENT_SECONDS = 2.0
"""Several readers wait no longer: one of them may be in somebody's way."""
_BRIEFLY = """
SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)
"""


def apply_together(
    log: EventLog, parts: Sequence[Part], rows: Sequence[Row]
) -> Sequence[Tracked]:
    """Apply the same rows for several readers in one transaction; return the positions.

    All or nothing: raises what it raises for any of them. If there are several, none
    may append, and none waits long for a lock. Blocks.
    """
    entries = _read(log, rows)
    with log.transaction() as cursor:
        if len(parts) > 1:
            limits = (LOCK_SECONDS, STATEMENT_SECONDS)
            cursor.execute(_BRIEFLY, [f"{each * 1000:.0f}ms" for each in limits])
        moved = [_move(part, cursor, rows) for part in parts]
        for part, (_, parked) in zip(parts, moved, strict=True):
            if ready := [entry for entry in entries if entry.stream not in parked]:
                _apply(part, cursor, ready)
    return [after for after, _ in moved]


def _move(part: Part, cursor: Cursors, rows: Sequence[Row]) -> tuple[Tracked, set[str]]:
    """Move past `rows`; return the position, and whose rows were parked for that."""
    bookmark = part.bookmark
    after = bookmark.move(cursor, part.before, rows[-1])
    if not after.parked_streams:
        return after, set()
    parked = bookmark.parked_among(cursor, sorted({row.stream for row in rows}))
    if behind := [row for row in rows if row.stream in parked]:
        after = bookmark.park(cursor, behind, BEHIND)
    return after, parked


def _skipped_again(
    log: EventLog, cursor: Cursors, skip_again: SkipAgain, row: Row
) -> bool:
    """Skip an event within a savepoint; False if that fails, too: it is parked then."""
    try:
        with log.savepoint(cursor, "skip"):
            return skip_again(cursor, row)
    except (StaleVersion, Overtaken):
        raise
    except Exception as error:
        if is_unavailable(error):
            raise away(error) from error
        return False


def _read(log: EventLog, rows: Sequence[Row]) -> Sequence[Entry]:
    """Return the rows as entries; raise `PoisonEvent` if one cannot be read."""
    try:
        return log.entries(rows)
    except Exception as error:
        if is_unavailable(error):
            raise away(error) from error
        raise PoisonEvent from error


def _apply(part: Part, cursor: Cursors, entries: Sequence[Entry]) -> None:
    """Apply entries; raise `PoisonEvent` if one of them cannot be applied."""
    try:
        part.apply(cursor, entries)
    except (StaleVersion, Overtaken, MissingEvent):
        raise  # not the event's fault: a retry or another process will succeed
    except Exception as error:
        may_park = part.park_cancelled and is_cancelled(error)
        if is_unavailable(error) and not may_park:
            raise away(error) from error
        _demand_session(cursor)
        raise PoisonEvent from error


def _demand_session(cursor: Cursors) -> None:
    """Raise `Unavailable` if the session has ended, and an error of ours hides it."""
    try:
        cursor.execute("SELECT")
    except InFailedSqlTransaction:
        pass  # it is there, and waits for the rollback
    except Error as error:
        raise away(error) from error
