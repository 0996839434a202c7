"""What is still to leave the desk: requested, not confirmed nor failed.

The reader fills and empties it by what the log says. Nobody is told of
an incident on a channel before what they are to be told there first has left.
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
    """One notification that has not left yet, or of which we do not know that it has.

    `person` is empty for the desk's receiver of pages.
    """

    key: str
    position: int
    """Of the request in the log: it is told as things stood there."""
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
    """Keep the outbox as the log says; tell whether there is more to send.

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
    """Return what may leave now, less what is under way: the first of each lane.

    Staff first: who is paged waits for no letter to a user.
    """
    found: list[Waiting] = []
    for staff in (True, False):
        asked = (channel, list(STAFF), staff, now, list(under_way), limit - len(found))
        found += [Waiting(*row) for row in cursor.execute(_HEADS, asked)]
    return found


def held(cursor: Cursors, key: str) -> Waiting | None:
    """Return one, held until the transaction ends; None where it is over."""
    row = cursor.execute(_HELD, (key,)).fetchone()
    return Waiting(*row) if row else None


def tried(cursor: Cursors, key: str, attempts: int) -> None:
    """Remember that it is tried for the `attempts`th time."""
    cursor.execute(_TRIED, (attempts, key))


def again(cursor: Cursors, key: str, at: datetime, attempts: int) -> None:
    """Remember when to try it again, after `attempts` in vain."""
    cursor.execute(_AGAIN, (at, attempts, key))


def over(cursor: Cursors, key: str) -> None:
    """Forget it: the log says its outcome."""
    cursor.execute(_OVER, ([key],))


def waiting(cursor: Cursors) -> tuple[int, datetime | None]:
    """Return how many wait, and since when the oldest does."""
    row = cursor.execute(_WAITING).fetchone()
    return (int(row[0]), row[1]) if row else (0, None)


def due_since(cursor: Cursors, now: datetime) -> datetime | None:
    """Return since when something could have left, None where nothing is due."""
    row = cursor.execute(_DUE_SINCE, (now,)).fetchone()
    return row[0] if row else None


def _row(entry: Entry) -> tuple[Any, ...]:
    event = entry.event
    assert isinstance(event, NotificationRequested)  # noqa: S101 # `follow` sorts them
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
