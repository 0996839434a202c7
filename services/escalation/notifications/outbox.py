"""The outbox: notifications that are requested and neither confirmed nor failed.

The reader fills and empties it from the log. Per incident, channel and person,
notifications leave in order: a later one waits until the earlier one is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor

from services.escalation.rules.notification_requests import STAFF
from shared.domain.events.notification import (
    Channel,
    Kind,
    NotificationConfirmed,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
)
from shared.eventlog.entry import Entry

Cursors = Cursor[tuple[Any, ...]]

_INSERT = """
INSERT INTO escalation.outbox (
    key, position, incident, policy, kind, channel, person, cause_stream,
    cause_version, requested_at, next_at
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_SENT = "UPDATE escalation.outbox SET sent = true WHERE key = ANY(%s)"
_OVER = "DELETE FROM escalation.outbox WHERE key = ANY(%s)"
_COLUMNS = """
SELECT key, position, incident, policy, kind, channel, person, cause_stream,
       cause_version, requested_at, sent, attempts
FROM escalation.outbox AS own
"""
_FIRST_OF_LANE = """NOT EXISTS (
    SELECT FROM escalation.outbox AS earlier
    WHERE (earlier.incident, earlier.channel, earlier.person)
        = (own.incident, own.channel, own.person) AND earlier.position < own.position
)"""
_HEADS = (
    _COLUMNS
    + """
WHERE channel = %s AND (kind = ANY(%s)) = %s
AND next_at <= %s AND key <> ALL(%s) AND """
    + _FIRST_OF_LANE
    + " ORDER BY next_at, position LIMIT %s"
)
_HELD = _COLUMNS + "WHERE key = %s FOR UPDATE"
_TRIED = "UPDATE escalation.outbox SET sent = true, attempts = %s WHERE key = %s"
_AGAIN = """
UPDATE escalation.outbox SET next_at = %s, attempts = %s WHERE key = %s
"""
_WAITING = "SELECT count(*), min(requested_at) FROM escalation.outbox"
_DUE_SINCE = (
    "SELECT next_at FROM escalation.outbox AS own WHERE next_at <= %s AND "  # noqa: S608 # our own names
    + _FIRST_OF_LANE
    + " ORDER BY next_at, position LIMIT 1"
)


@dataclass(frozen=True)
class Waiting:
    """A notification that was not sent yet, or that may not have been.

    `person` is empty for the desk's receiver of pages.
    """

    key: str
    position: int
    """Position of the request in the log; the text describes the state then."""
    incident: str
    policy: int
    kind: Kind
    channel: Channel
    person: str
    cause_stream: str
    cause_version: int
    requested_at: datetime
    sent: bool
    attempts: int


def follow(cursor: Cursors, entries: Sequence[Entry]) -> bool:
    """Update the outbox from the log; tell whether there is more to send.

    Rows are written in the order of their keys.
    """
    fresh: dict[str, Entry] = {}
    sent: set[str] = set()
    over: set[str] = set()
    for entry in entries:
        match entry.event:
            case NotificationRequested(key=key):
                fresh[key] = entry
            case NotificationSent(key=key):
                sent.add(key)
            case NotificationConfirmed(key=key) | NotificationFailed(key=key):
                over.add(key)
            case _:
                pass
    rows = [_row(fresh[key]) for key in sorted(fresh.keys() - over)]
    if rows:
        cursor.executemany(_INSERT, rows)
    if sent - over:
        cursor.execute(_SENT, (sorted(sent - over),))
    if over:
        cursor.execute(_OVER, (sorted(over),))
    return bool(rows)


def heads(
    cursor: Cursors,
    channel: Channel,
    now: datetime,
    under_way: Sequence[str],
    limit: int,
) -> list[Waiting]:
    """Return the notifications that may be sent now: the first of each lane.

    Staff come first: a page does not wait for mail to users.
    """
    found: list[Waiting] = []
    for staff in (True, False):
        asked = (channel, list(STAFF), staff, now, list(under_way), limit - len(found))
        found += [Waiting(*row) for row in cursor.execute(_HEADS, asked)]
    return found


def held(cursor: Cursors, key: str) -> Waiting | None:
    """Lock and return a notification; None if it is done."""
    row = cursor.execute(_HELD, (key,)).fetchone()
    return Waiting(*row) if row else None


def tried(cursor: Cursors, key: str, attempts: int) -> None:
    """Store that the `attempts`th attempt begins."""
    cursor.execute(_TRIED, (attempts, key))


def again(cursor: Cursors, key: str, at: datetime, attempts: int) -> None:
    """Store when to try again, after `attempts` failures."""
    cursor.execute(_AGAIN, (at, attempts, key))


def over(cursor: Cursors, key: str) -> None:
    """Delete it: its outcome is in the log."""
    cursor.execute(_OVER, ([key],))


def waiting(cursor: Cursors) -> tuple[int, datetime | None]:
    """Return the number of waiting notifications, and since when the oldest waits."""
    row = cursor.execute(_WAITING).fetchone()
    return (int(row[0]), row[1]) if row else (0, None)


def due_since(cursor: Cursors, now: datetime) -> datetime | None:
    """Return since when a notification has been due, None if none is due."""
    row = cursor.execute(_DUE_SINCE, (now,)).fetchone()
    return row[0] if row else None


def _row(entry: Entry) -> tuple[Any, ...]:
    event = entry.event
    assert isinstance(event, NotificationRequested)  # noqa: S101 # `follow` picks them
    return (
        event.key,
        entry.position,
        event.incident,
        event.policy,
        event.kind,
        event.channel,
        event.person or "",
        event.cause_stream,
        event.cause_version,
        entry.recorded_at,
        entry.recorded_at,
    )
