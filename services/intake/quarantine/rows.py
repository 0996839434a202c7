"""The rows of the quarantine: read, counted by a filter, and noted upon."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Cursor

from services.intake.quarantine.reread import Kept
from services.intake.raw_store import opened, opened_headers
from shared.domain.commands.quarantine import Filter, JournalEntry, Quarantined
from shared.vault.vault import Vault

_COLUMNS = (
    "quarantine_id, source, adapter, received_at, element, reason, state, tries, awaits"
)
_LIST = f"""
SELECT {_COLUMNS} FROM intake.quarantine
WHERE state = %(state)s AND quarantine_id > %(after)s
  AND (%(source)s::text IS NULL OR source = %(source)s)
  AND (%(adapter)s::text IS NULL OR adapter = %(adapter)s)
  AND (%(reason)s::text IS NULL OR position(lower(%(reason)s) IN lower(reason)) > 0)
  AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR received_at < %(until)s)
ORDER BY quarantine_id LIMIT %(limit)s
"""  # noqa: S608 # our own names
_ONE = f"SELECT {_COLUMNS} FROM intake.quarantine WHERE quarantine_id = %s"  # noqa: S608 # our own names
_KEPT = """
SELECT q.quarantine_id, q.source, q.adapter, q.received_at, q.element, q.elements,
       q.digest, b.sealed, b.headers, q.event_id, q.in_turn
FROM intake.quarantine q LEFT JOIN intake.quarantined_bodies b USING (digest)
WHERE q.quarantine_id = %s
"""
_JOURNAL = """
SELECT j.at, j.actor, j.what, j.status, j.incident,
       (SELECT notification_id FROM log.events
        WHERE originator_id = 'incident-' || j.incident
          AND originator_version = j.version), j.reason
FROM intake.quarantine_journal j WHERE j.quarantine_id = %s ORDER BY entry_id DESC
LIMIT %s
"""
JOURNAL_MAX = 200
_STAYS = """
UPDATE intake.quarantine SET tries = tries + 1, reason = %s
WHERE quarantine_id = %s AND state = 'waiting'
"""
_DISCARD = """
UPDATE intake.quarantine SET state = 'discarded'
WHERE quarantine_id = %s AND state = 'waiting'
"""
_NOTE = """
INSERT INTO intake.quarantine_journal (quarantine_id, at, actor, what, reason)
VALUES (%s, %s, %s, %s, %s)
"""


class Note(NamedTuple):
    """What somebody did about an element, and why."""

    at: datetime
    by: str
    reason: str


def listed(
    cursor: Cursor[tuple[Any, ...]], asked: Filter, state: str, after: int, limit: int
) -> list[Quarantined]:
    """Return at most `limit` rows that fit, in the order they came."""
    given = asked.model_dump(include=set(Filter.model_fields))
    given |= {"state": state, "after": after, "limit": limit}
    return [_row(row) for row in cursor.execute(_LIST, given).fetchall()]


def one(cursor: Cursor[tuple[Any, ...]], number: int) -> Quarantined | None:
    """Return one row, None where there is none of this number."""
    row = cursor.execute(_ONE, (number,)).fetchone()
    return _row(row) if row else None


def kept(cursor: Cursor[tuple[Any, ...]], vault: Vault, number: int) -> Kept | None:
    """Return an element with its body; None where its source was forgotten."""
    row = cursor.execute(_KEPT, (number,)).fetchone()
    if row is None or row[7] is None:
        return None
    body = opened(vault, bytes(row[6]), row[7])
    if body is None:
        return None
    headers = opened_headers(vault, bytes(row[6]), row[8])
    number, source, adapter, received_at, element, elements = row[:6]
    return Kept(
        number, source, adapter, received_at, element, elements, body, headers, *row[9:]
    )


def journal(cursor: Cursor[tuple[Any, ...]], number: int) -> list[JournalEntry]:
    """Return what was done about an element, the newest first."""
    rows: Sequence[Any] = cursor.execute(_JOURNAL, (number, JOURNAL_MAX)).fetchall()
    names = ("at", "by", "what", "status", "incident", "position", "reason")
    return [JournalEntry(**dict(zip(names, row, strict=True))) for row in rows]


def stays(cursor: Cursor[tuple[Any, ...]], number: int, note: Note) -> bool:
    """Note that an element can still not be mapped; False where it waits no more."""
    if not cursor.execute(_STAYS, (note.reason, number)).rowcount:
        return False
    cursor.execute(_NOTE, (number, note.at, note.by, "tried", note.reason))
    return True


def discard(cursor: Cursor[tuple[Any, ...]], number: int, note: Note) -> bool:
    """Take an element off the list; False where it waits no more."""
    if not cursor.execute(_DISCARD, (number,)).rowcount:
        return False
    cursor.execute(_NOTE, (number, note.at, note.by, "discarded", note.reason))
    return True


def _row(row: Sequence[Any]) -> Quarantined:
    names = Quarantined.model_fields
    return Quarantined(**dict(zip(names, row, strict=True)))
