"""Verifies the log in bounded memory, page by page: all of it, or from a checkpoint."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.projections.audit.documents import verify_documents
from services.projections.audit.walk import (
    BEGINNING,
    Anchor,
    Checkpoint,
    Finding,
    Walk,
    anchor_finding,
)
from services.projections.read_models import MODELS
from shared.database.roles import only_tables
from shared.eventlog.log import PAGE_MAX, EventLog, Row
from shared.eventlog.readers.position import Bookmark, Cursors, bookmarks

_ANCHOR = """
SELECT position, chain FROM {schema}.tracking WHERE reader = %s AND position > 0
"""
_MISCOUNTED = """
SELECT originator_id, min(notification_id) FROM log.events AS event
WHERE %(after)s = 0 OR originator_id IN (
    SELECT originator_id FROM log.events WHERE notification_id > %(after)s)
GROUP BY originator_id HAVING count(*) <> max(originator_version)
ORDER BY 2 LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was walked: `events` after position `since`, up to `position`.

    `chain` is the hash of the event there, in hex; `anchors` counts the readers whose
    memory was compared, `documents` those that events name and that are as named.
    """

    events: int
    since: int
    position: int
    chain: str
    anchors: int
    documents: int
    finding: Finding | None


def verify(
    log: EventLog,
    told: Callable[[int, int], None],
    checkpoint: Checkpoint = BEGINNING,
) -> Verified:
    """Walk the log after `checkpoint`; `told` hears how far of how much. Blocks.

    Ends at the first event that is wrong: all later ones hang on it.
    """
    head = log.head().position
    known, documents = anchors(log), 0
    walk, finding = _started(log, known, checkpoint)
    if finding is None:
        finding = _remembered(log, known, checkpoint)
    while finding is None:
        rows = log.rows_since(walk.position, PAGE_MAX)
        if not rows:
            finding = walk.end() or _miscounted(log, checkpoint)
            if finding is None:
                documents, finding = verify_documents(log)
            break
        finding = _page(walk, rows)
        told(walk.position, max(head, walk.position))
    return Verified(
        walk.position - checkpoint.position,
        checkpoint.position,
        walk.position,
        walk.chain.hex(),
        len(known),
        documents,
        finding,
    )


def anchors(log: EventLog) -> Sequence[Anchor]:
    """Return what readers remember: the hash of the event each applied last.

    Of read models every generation, live or not, and every service that decides.
    """
    found: list[Anchor] = []
    with log.transaction() as cursor:
        for bookmark in bookmarks(cursor):
            query = _ANCHOR.format(schema=bookmark.schema)
            with only_tables(cursor):
                rows = cursor.execute(query, (bookmark.reader,)).fetchall()
            found += (Anchor(p, bytes(c), _whose(bookmark)) for p, c in rows)
    return found


def _whose(bookmark: Bookmark) -> str:
    if bookmark.reader in MODELS:
        return f"the read model {bookmark.reader} ({bookmark.schema})"
    return f"the reader {bookmark.reader}"


def _page(walk: Walk, rows: Sequence[Row]) -> Finding | None:
    for row in rows:
        finding = walk.step(row)
        if finding is not None:
            return finding
    return None


def _started(
    log: EventLog, known: Sequence[Anchor], checkpoint: Checkpoint
) -> tuple[Walk, Finding | None]:
    """Return the walk at its start, and what is wrong if the log does not hold it."""
    walk = Walk(known, checkpoint.position, checkpoint.chain)
    if checkpoint == BEGINNING:
        return walk, None
    row = _row_at(log, checkpoint.position)
    if row is not None and row.chain == checkpoint.chain:
        walk.recorded_at = row.recorded_at
        return walk, None
    why = "holds another event there" if row else f"ends at {log.head().position}"
    return walk, Finding(
        checkpoint.position,
        "checkpoint",
        f"the log does not hold the event of the checkpoint at {checkpoint.position}: "
        f"it {why}; it is another log, was restored to an earlier state or rewritten",
    )


def _remembered(
    log: EventLog, known: Sequence[Anchor], checkpoint: Checkpoint
) -> Finding | None:
    """Compare what readers remember of events that the walk does not come to."""
    for anchor in known:
        if anchor.position <= checkpoint.position:
            row = _row_at(log, anchor.position)
            finding = anchor_finding(anchor, row.chain if row else b"")
            if finding is not None:
                return finding
    return None


def _row_at(log: EventLog, position: int) -> Row | None:
    rows = log.rows_since(position - 1, 1)
    return rows[0] if rows and rows[0].position == position else None


def _miscounted(log: EventLog, checkpoint: Checkpoint) -> Finding | None:
    """Return the first stream that lacks versions, among those that were walked."""
    with log.transaction() as cursor:
        row = _first_miscounted(cursor, checkpoint.position)
    if row is None:
        return None
    return Finding(
        row[1], "versions", f"versions of {row[0]} are missing: events were deleted"
    )


def _first_miscounted(cursor: Cursors, after: int) -> tuple[str, int] | None:
    row = cursor.execute(_MISCOUNTED, {"after": after}).fetchone()
    return None if row is None else (row[0], row[1])
