"""Verifies that the content of each attached file is the one that its event names.

Content may be missing for two reasons only: it was removed, which is an event, or its
owner was forgotten, which destroyed the key that sealed the words of the event. Events
that cannot be read name no file: `permanence audit readable` names them.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.projections.audit.walk import Finding
from services.projections.log_queries import rows_of_types
from shared.database.cursors import Cursors
from shared.domain.events.incident_attachments import (
    IncidentFileAttached,
    IncidentFileRemoved,
)
from shared.eventlog.log import EventLog, Row
from shared.vault.vault import key_ids

PAGE = 100
"""How many files are read at once, by the database alone."""

_ATTACHED = IncidentFileAttached.model_fields["type"].default
_REMOVED = IncidentFileRemoved.model_fields["type"].default
_DIGESTS = """
SELECT attachment::text, encode(sha256(body), 'hex'), incident
FROM intake.attachments WHERE attachment = ANY(%s::uuid[])
"""
_DESTROYED = """
SELECT key_id FROM vault.keys WHERE key_id = ANY(%s) AND destroyed_at IS NOT NULL
"""


class Files(NamedTuple):
    """How many files match the log, and the first that does not."""

    verified: int
    finding: Finding | None


def verify_attachments(log: EventLog, upto: int) -> Files:
    """Compare every file with its event, up to a position. Blocks."""
    removed = {
        entry.event.attachment
        for rows in _pages(log, _REMOVED, upto)
        for entry in log.without_words(rows).entries
        if isinstance(entry.event, IncidentFileRemoved)
    }
    verified = 0
    for rows in _pages(log, _ATTACHED, upto):
        with log.transaction() as cursor:
            found, finding = _page(log, cursor, rows, removed)
        verified += found
        if finding is not None:
            return Files(verified, finding)
    return Files(verified, None)


def _page(
    log: EventLog, cursor: Cursors, rows: Sequence[Row], removed: set[str]
) -> Files:
    verified = 0
    by_position = {row.position: row for row in rows}
    attached = [
        (by_position[entry.position], event)
        for entry in log.without_words(rows).entries
        if isinstance(event := entry.event, IncidentFileAttached)
    ]
    names = [event.attachment for _, event in attached]
    stored = {id_: told for id_, *told in cursor.execute(_DIGESTS, (names,))}
    for row, event in attached:
        told = stored.get(event.attachment)
        if told == [event.sha256, event.incident]:
            verified += 1
        elif told is not None:
            return Files(verified, _finding(row, "was changed or moved"))
        elif event.attachment not in removed and not _is_forgotten(cursor, row):
            return Files(verified, _finding(row, "is missing, and nobody removed it"))
    return Files(verified, None)


def _is_forgotten(cursor: Cursors, row: Row) -> bool:
    sealed = list(key_ids([row.state]))
    return cursor.execute(_DESTROYED, (sealed,)).fetchone() is not None


def _finding(row: Row, what: str) -> Finding:
    return Finding(
        row.position,
        "file",
        f"the content of the file attached at {row.position} {what}: restore "
        "intake.attachments from a backup",
    )


def _pages(log: EventLog, kind: str, upto: int) -> Iterator[Sequence[Row]]:
    after = 0
    while True:
        with log.transaction() as cursor:
            rows = rows_of_types(cursor, (after, upto), [kind], PAGE)
        if rows:
            yield rows
        if len(rows) < PAGE:
            return
        after = rows[-1].position
