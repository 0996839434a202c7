"""Verifies the log in bounded memory, page by page: all of it, or from a checkpoint.

Also verifies that each document and each attached file to which the log refers exists
with its hash.
An event of the first schema version contains its document, which the chain covers.

A checkpoint is written as `300:5f3a…`; it can be kept in a file that each run updates.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from services.projections.audit.attachments import verify_attachments
from services.projections.audit.walk import (
    BEGINNING,
    Anchor,
    Checkpoint,
    Finding,
    Walk,
    anchor_finding,
)
from services.projections.log_queries import rows_of_stream
from services.projections.read_models import MODELS
from shared.database.cursors import Cursors
from shared.domain.events.administration import STREAM, PolicyApplied
from shared.eventlog.documents import UnreadableDocument
from shared.eventlog.entry import Entry
from shared.eventlog.histories import Unreadable, each_event
from shared.eventlog.log import PAGE_MAX, EventLog, Row
from shared.eventlog.policies import document_of
from shared.eventlog.readers.position import Bookmark, stored_positions
from shared.eventlog.unreadable import UnreadableEvent

PAGE = 100
"""How many events are read at once; their documents are read one at a time."""


class Documents(NamedTuple):
    """How many documents match the log, and the first that does not."""

    verified: int
    finding: Finding | None


def verify_documents(log: EventLog) -> Documents:
    """Read each document to which the log refers. Blocks."""
    verified = 0
    for row, read in _applied(log):
        sentence = f"the policy applied at {row.position} cannot be read: "
        wrong = Finding(row.position, "document", sentence)
        if isinstance(read, Unreadable):
            return Documents(verified, replace(wrong, sentence=sentence + read.why))
        event = read.event
        if not isinstance(event, PolicyApplied) or event.document is not None:
            continue
        try:
            with log.transaction() as cursor:
                document_of(cursor, event)
        except UnreadableDocument as error:
            return Documents(verified, replace(wrong, sentence=f"{sentence}{error}"))
        verified += 1
    return Documents(verified, None)


def _applied(log: EventLog) -> Iterator[tuple[Row, Entry | Unreadable]]:
    after = 0
    while True:
        with log.transaction() as cursor:
            rows = rows_of_stream(cursor, STREAM, after, PAGE)
        yield from each_event(log, rows)
        if len(rows) < PAGE:
            return
        after = rows[-1].position


_WRITTEN = re.compile(r"([1-9][0-9]{0,18}):([0-9a-f]{64})")


def parse_checkpoint(text: str) -> Checkpoint:
    """Parse the output of `written`. Raises `ValueError` with a sentence."""
    found = _WRITTEN.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(
            "not a checkpoint: write the position and the hash of its event, as "
            "`permanence audit verify` said them, `300:5f3a…`"
        )
    return Checkpoint(int(found[1]), bytes.fromhex(found[2]))


def written(checkpoint: Checkpoint) -> str:
    """Return a checkpoint as text."""
    return f"{checkpoint.position}:{checkpoint.chain.hex()}"


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Return the checkpoint in a file, None if there is no such file.

    Raises `ValueError` with a sentence if the file holds something else or cannot be
    read: verifying everything instead would hide that somebody changed the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    try:
        return parse_checkpoint(json.loads(text)["checkpoint"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} holds no checkpoint: name another file, or delete this one to "
            "verify from the first event"
        ) from error


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint to a file atomically. Raises `OSError`."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as file:
            json.dump({"checkpoint": written(checkpoint)}, file)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


_MISCOUNTED = """
SELECT originator_id, min(notification_id) FROM log.events AS event
WHERE %(after)s = 0 OR originator_id IN (
    SELECT originator_id FROM log.events WHERE notification_id > %(after)s)
GROUP BY originator_id HAVING count(*) <> max(originator_version)
ORDER BY 2 LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was verified: `events` after position `since`, up to `position`.

    `chain` is the hash of the last event, in hex. `anchors` counts the readers whose
    stored hash was compared, `documents` and `files` those that match the log.
    """

    events: int
    since: int
    position: int
    chain: str
    anchors: int
    documents: int
    files: int
    finding: Finding | None


def verify(
    log: EventLog,
    told: Callable[[int, int], None],
    checkpoint: Checkpoint = BEGINNING,
) -> Verified:
    """Verify the log after `checkpoint`; `told` receives the progress. Blocks.

    Ends at the first wrong event: the hashes of all later ones depend on it.
    """
    head = log.head().position
    (known, replaced), documents, files = anchors(log), 0, 0
    walk, finding = _started(log, known, checkpoint)
    if finding is None:
        finding = _remembered(log, known, checkpoint)
    while finding is None:
        rows = log.rows_since(walk.position, PAGE_MAX)
        if not rows:
            finding = walk.end() or _miscounted(log, checkpoint)
            if finding is None:
                documents, finding = verify_documents(log)
            if finding is None:
                files, finding = verify_attachments(log, walk.position)
            break
        finding = _page(walk, rows)
        told(walk.position, max(head, walk.position))
    if finding is None and replaced:
        sentence = f"the log is whole, but {next(iter(replaced.values()))}"
        finding = Finding(walk.position, "anchor", sentence)
    return Verified(
        walk.position - checkpoint.position,
        checkpoint.position,
        walk.position,
        walk.chain.hex(),
        len(known),
        documents,
        files,
        finding,
    )


class Anchors(NamedTuple):
    """What readers remember; `replaced` says by schema what cannot be read."""

    known: Sequence[Anchor]
    replaced: Mapping[str, str]


def anchors(log: EventLog) -> Anchors:
    """Return what readers have stored: the hash of the last event each one applied.

    These are all generations of read models, live or not, and all deciding services.
    """
    with log.transaction() as cursor:
        stored = stored_positions(cursor)
    known = [
        Anchor(each.position, each.chain, _whose(each.bookmark))
        for each in stored.found
        if each.position > 0
    ]
    return Anchors(known, stored.replaced)


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
    """Return the walk at its start, and a finding if the log lacks that event."""
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
    """Compare the stored hashes of events that the walk does not reach."""
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
    """Return the first of the verified streams that lacks versions."""
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


UNREADABLE_NAMED_MAX = 1_000
"""The maximum number of events that are named; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Read:
    """How many events were read, how many could not be, and the first of them."""

    events: int
    count: int
    unreadable: tuple[UnreadableEvent, ...]


def read_all(log: EventLog, told: Callable[[int, int], None]) -> Read:
    """Read the log up to its present end; `told` receives the progress. Blocks."""
    head, position, events, count = log.head().position, 0, 0, 0
    named: list[UnreadableEvent] = []
    while position < head:
        rows = log.rows_since(position, min(PAGE_MAX, head - position))
        if not rows:
            break
        for row, read in each_event(log, rows):
            if not isinstance(read, Unreadable):
                events += 1
                continue
            count += 1
            if len(named) < UNREADABLE_NAMED_MAX:
                found = UnreadableEvent(row.position, row.stream, row.type, read.why)
                named.append(found)
        position = rows[-1].position
        told(position, head)
    return Read(events, count, tuple(named))
