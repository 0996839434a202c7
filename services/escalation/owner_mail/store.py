"""The table of mail to owners, which follows from the log.

A row stays after its mail is sent, so that nobody is told twice.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from psycopg.rows import class_row

from services.escalation.notifications.queued_messages import AGAIN, MessageQueue
from services.escalation.owner_mail.rules import OwnerRequest
from shared.database.cursors import Cursors

KEPT = timedelta(days=400)
"""How long rows of mail that is over are kept."""

_REQUEST = """
INSERT INTO escalation.owner_mail
    (key, about, subject, kind, start, action, owner, due_at, next_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING
"""
_TAKE = """
UPDATE escalation.owner_mail SET next_at = %(again)s, attempts = attempts + 1
WHERE key = (
    SELECT key FROM escalation.owner_mail WHERE next_at <= %(now)s
    ORDER BY next_at, key LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING about, subject, kind, start, action, owner, due_at, attempts
"""
# A sender that was frozen for a while must not write over its successor.
_AGAIN = """
UPDATE escalation.owner_mail SET next_at = %s WHERE key = %s AND attempts = %s
"""
_OVER = """
UPDATE escalation.owner_mail SET next_at = NULL, outcome = %s
WHERE key = %s AND attempts = %s
"""
_FORGET = """
DELETE FROM escalation.owner_mail WHERE next_at IS NULL AND due_at < %s
"""


def request(cursor: Cursors, requests: Iterable[OwnerRequest]) -> None:
    """Request mail unless it was requested before."""
    for each in requests:
        about = (each.about, each.subject, each.kind, each.start, each.action)
        when = (each.due_at, each.due_at)
        cursor.execute(_REQUEST, (each.key, *about, each.owner, *when))


def take(cursor: Cursors, now: datetime) -> OwnerRequest | None:
    """Take the next mail that is due; None if none is. It is due again in a while."""
    asked = {"now": now, "again": now + AGAIN}
    with cursor.connection.cursor(row_factory=class_row(OwnerRequest)) as rows:
        return rows.execute(_TAKE, asked).fetchone()


def again(cursor: Cursors, request: OwnerRequest, at: datetime) -> bool:
    """Store when a mail is tried again; False if another sender took it meanwhile."""
    return bool(cursor.execute(_AGAIN, (at, request.key, request.attempts)).rowcount)


def over(cursor: Cursors, request: OwnerRequest, outcome: str) -> bool:
    """Store how a mail was delivered, or why it was not; False as `again` does."""
    attempt = (outcome[:500], request.key, request.attempts)
    return bool(cursor.execute(_OVER, attempt).rowcount)


def forget(cursor: Cursors, now: datetime) -> None:
    """Delete rows of long ago."""
    cursor.execute(_FORGET, (now - KEPT,))


QUEUE = MessageQueue("owner_mail", take, again, over, forget)
