"""Reads and writes the links of calendars; only the hash of a link is stored."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from psycopg.rows import class_row

from shared.database.cursors import Cursors

_SECRET_BYTES = 32
_COLUMNS = "feed_id, person, schedule, created_at"
_FIND = f"SELECT {_COLUMNS} FROM desk.calendar_feeds WHERE hash = %s"  # noqa: S608 # our own names
_LIST = f"""
SELECT {_COLUMNS} FROM desk.calendar_feeds WHERE person = %s
ORDER BY created_at, feed_id
"""  # noqa: S608 # our own names
_CREATE = """
INSERT INTO desk.calendar_feeds (feed_id, hash, person, schedule, created_at)
VALUES (%(feed_id)s, %(hash)s, %(person)s, %(schedule)s, %(created_at)s)
ON CONFLICT (person, coalesce(schedule, '')) DO UPDATE SET
    feed_id = excluded.feed_id, hash = excluded.hash, created_at = excluded.created_at
"""
_REVOKE = "DELETE FROM desk.calendar_feeds WHERE feed_id = %s AND person = %s"


@dataclass(frozen=True, slots=True)
class Feed:
    """A link to the shifts of a person, or to those of a schedule."""

    feed_id: str
    person: str
    """Who made the link, and reads by it."""
    schedule: str | None
    created_at: datetime


def create(
    cursor: Cursors, person: str, schedule: str | None, at: datetime
) -> tuple[Feed, str]:
    """Store a link in the place of an earlier one; return its secret, shown once."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    feed = Feed(secrets.token_hex(6), person, schedule, at)
    cursor.execute(
        _CREATE,
        {
            "feed_id": feed.feed_id,
            "hash": _hash(secret),
            "person": person,
            "schedule": schedule,
            "created_at": at,
        },
    )
    return feed, secret


def find(cursor: Cursors, secret: str) -> Feed | None:
    """Return the feed of a link, None if it is unknown or was revoked.

    What is compared is a hash, so the time that it takes says nothing about a secret.
    """
    with cursor.connection.cursor(row_factory=class_row(Feed)) as rows:
        return rows.execute(_FIND, (_hash(secret),)).fetchone()


def feeds_of(cursor: Cursors, person: str) -> Sequence[Feed]:
    """Return the links that a person made, the oldest first."""
    with cursor.connection.cursor(row_factory=class_row(Feed)) as rows:
        return rows.execute(_LIST, (person,)).fetchall()


def revoke(cursor: Cursors, feed_id: str, person: str) -> bool:
    """Delete a link of a person; return whether there was one."""
    return cursor.execute(_REVOKE, (feed_id, person)).rowcount == 1


def _hash(secret: str) -> bytes:
    return sha256(secret.encode(errors="replace")).digest()
