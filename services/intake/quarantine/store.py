"""What is in quarantine: its rows, its journal, and which waiting signal is next.

Rows are added by `signals/raw_store.py`, and released by `signals/waiting_signals.py`
in the transaction that takes the element: exactly once. Signals of the same
dedup key stay in order: while one waits until a record that it needs can be read, later
ones wait behind it, so that a recovery cannot overtake the trigger that came before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from services.intake.signals.raw_store import opened, opened_headers
from shared.database.cursors import Cursors
from shared.domain.commands.quarantine import Filter, JournalEntry, Quarantined
from shared.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class QuarantinedElement:
    """A quarantined element; `elements` is how many its body was read as then."""

    id: int
    source: str
    adapter: str
    received_at: datetime
    element: int
    elements: int | None
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """The headers that its format reads."""
    event_id: str | None = None
    """The idempotency key of the request that brought it."""
    in_turn: bool = False
    """No signal of its key was taken since: later ones wait behind it."""


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
"""  # noqa: S608 # only constants
_ONE = f"SELECT {_COLUMNS} FROM intake.quarantine WHERE quarantine_id = %s"  # noqa: S608 # only constants
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
_STAYS_BECAUSE = """
UPDATE intake.quarantine SET tries = tries + 1, reason = %s
WHERE quarantine_id = %s AND state = 'waiting'
"""
_DISCARD = """
UPDATE intake.quarantine SET state = 'discarded'
WHERE quarantine_id = %s AND state = 'waiting'
"""
_NOTE_ONE = """
INSERT INTO intake.quarantine_journal (quarantine_id, at, actor, what, reason)
VALUES (%s, %s, %s, %s, %s)
"""


class Note(NamedTuple):
    """What somebody did about an element, when and why."""

    at: datetime
    by: str
    reason: str


def listed(
    cursor: Cursors, asked: Filter, state: str, after: int, limit: int
) -> list[Quarantined]:
    """Return at most `limit` matching rows, in the order of reception."""
    given = asked.model_dump(include=set(Filter.model_fields))
    given |= {"state": state, "after": after, "limit": limit}
    return [_row(row) for row in cursor.execute(_LIST, given).fetchall()]


def one(cursor: Cursors, number: int) -> Quarantined | None:
    """Return one row, or None if the id is unknown."""
    row = cursor.execute(_ONE, (number,)).fetchone()
    return _row(row) if row else None


def kept(cursor: Cursors, vault: Vault, number: int) -> QuarantinedElement | None:
    """Return an element with its body, or None if its source was forgotten."""
    row = cursor.execute(_KEPT, (number,)).fetchone()
    if row is None or row[7] is None:
        return None
    body = opened(vault, bytes(row[6]), row[7])
    if body is None:
        return None
    headers = opened_headers(vault, bytes(row[6]), row[8])
    number, source, adapter, received_at, element, elements = row[:6]
    return QuarantinedElement(
        number, source, adapter, received_at, element, elements, body, headers, *row[9:]
    )


def journal(cursor: Cursors, number: int) -> list[JournalEntry]:
    """Return the journal of an element, newest entry first."""
    rows: Sequence[Any] = cursor.execute(_JOURNAL, (number, JOURNAL_MAX)).fetchall()
    names = ("at", "by", "what", "status", "incident", "position", "reason")
    return [JournalEntry(**dict(zip(names, row, strict=True))) for row in rows]


def stays(cursor: Cursors, number: int, note: Note) -> bool:
    """Record that an element still fails; False if it is no longer waiting."""
    if not cursor.execute(_STAYS_BECAUSE, (note.reason, number)).rowcount:
        return False
    cursor.execute(_NOTE_ONE, (number, note.at, note.by, "tried", note.reason))
    return True


def discard(cursor: Cursors, number: int, note: Note) -> bool:
    """Discard an element; False if it is no longer waiting."""
    if not cursor.execute(_DISCARD, (number,)).rowcount:
        return False
    cursor.execute(_NOTE_ONE, (number, note.at, note.by, "discarded", note.reason))
    return True


def _row(row: Sequence[Any]) -> Quarantined:
    names = Quarantined.model_fields
    return Quarantined(**dict(zip(names, row, strict=True)))


KEYS_MAX = 100
"""Keys that are examined in one round of retries."""

_FIRST = """
SELECT DISTINCT ON (signal_key) signal_key, quarantine_id, awaits
FROM intake.quarantine
WHERE state = 'waiting' AND signal_key > %s
ORDER BY signal_key, quarantine_id LIMIT %s
"""
_NEXT = """
SELECT quarantine_id FROM intake.quarantine
WHERE state = 'waiting' AND signal_key = %s ORDER BY quarantine_id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class QueueHead:
    """The first signal in the queue of a key, and what it waits for."""

    signal_key: str
    quarantine_id: int
    awaits: str | None


def first_in_order(
    cursor: Cursors, after: str, limit: int = KEYS_MAX
) -> list[QueueHead]:
    """Return the first waiting signal of each key after `after`, ordered by key."""
    rows = cursor.execute(_FIRST, (after, limit)).fetchall()
    return [QueueHead(*row) for row in rows]


def next_of(cursor: Cursors, key: str, limit: int) -> list[int]:
    """Return the ids of the waiting signals of a key, in order."""
    return [number for (number,) in cursor.execute(_NEXT, (key, limit)).fetchall()]
