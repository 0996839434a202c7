"""The table of mail about being on call.

Requested in the transaction of what it is about, under a key that names the person and
what it is about: nobody is told twice. A row stays after it is sent. Requests that are
due together are joined to one mail, once and for all, when the first one is taken.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from services.escalation.notifications.queued_messages import AGAIN, MessageQueue
from shared.database.cursors import Cursors

MailKind = Literal[
    "hand_off",
    "shift_reminder",
    "on_call_gap",
    "swap_request",
    "swap_answer",
    "unverified",
    "unverified_alarm",
    "coverage_report",
    "monthly_statement",
]
GATHERED = timedelta(seconds=2)
"""How long a mail waits for others that it is joined with, such as other schedules."""
JOINED_MAX = 100
"""The maximum number of requests that are joined to one mail."""
KEPT = timedelta(days=90)
"""How long rows of mail that was sent are kept."""

_REQUEST = """
INSERT INTO escalation.on_call_mail
    (key, kind, person, about, requested_at, next_at)
VALUES (%(key)s, %(kind)s, %(person)s, %(about)s, %(now)s, %(next)s)
ON CONFLICT (key) DO NOTHING
"""
_TAKE = """
UPDATE escalation.on_call_mail SET next_at = %(again)s, attempts = attempts + 1
WHERE key = (
    SELECT key FROM escalation.on_call_mail WHERE next_at <= %(now)s
    ORDER BY next_at, key LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING key, kind, person, about, requested_at, attempts
"""
_OTHERS = """
UPDATE escalation.on_call_mail SET next_at = NULL, outcome = 'sent with another one'
WHERE key IN (
    SELECT key FROM escalation.on_call_mail
    WHERE next_at IS NOT NULL AND attempts = 0 AND (kind, person) = (%s, %s)
    AND coalesce(about -> 0 ->> 'at', about -> 0 ->> 'day', about -> 0 ->> 'month')
        IS NOT DISTINCT FROM %s
    ORDER BY key LIMIT %s FOR UPDATE SKIP LOCKED
)
RETURNING key, about
"""
_JOIN = "UPDATE escalation.on_call_mail SET about = %s WHERE key = %s"
# A sender that was frozen for a while must not write over its successor.
_AGAIN = """
UPDATE escalation.on_call_mail SET next_at = %s WHERE key = %s AND attempts = %s
"""
_OVER = """
UPDATE escalation.on_call_mail SET next_at = NULL, outcome = %s
WHERE key = %s AND attempts = %s
"""
_FORGET = """
DELETE FROM escalation.on_call_mail WHERE next_at IS NULL AND requested_at < %s
"""


@dataclass(frozen=True, slots=True)
class MailRequest:
    """A mail that is to be sent to a person; `about` has ids and instants."""

    key: str
    kind: MailKind
    person: str
    about: list[dict[str, Any]]
    requested_at: datetime
    attempts: int = 0


def key_of(kind: MailKind, person: str, which: str) -> str:
    """Return the key of a mail: one for a person and what it is about."""
    return f"{kind}|{person}|{which}"


def instant(at: datetime) -> str:
    """Return an instant as `about` and keys have it."""
    return at.isoformat().replace("+00:00", "Z")


def request(cursor: Cursors, requests: Iterable[MailRequest], now: datetime) -> None:
    """Request mail, in the order of the keys, unless it was requested before."""
    for each in sorted(requests, key=lambda each: each.key):
        given: Mapping[str, object] = {
            "key": each.key,
            "kind": each.kind,
            "person": each.person,
            "about": Jsonb(each.about),
            "now": now,
            "next": now + GATHERED,
        }
        cursor.execute(_REQUEST, given)


def take(cursor: Cursors, now: datetime) -> MailRequest | None:
    """Take the next mail that is due; None if none is. It is due again in a while.

    The first time, others of its kind for the same person and the same instant, day or
    month are joined to it.
    What is joined never changes again: a repeat has the same text under the same key.
    """
    asked = {"now": now, "again": now + AGAIN}
    with cursor.connection.cursor(row_factory=class_row(MailRequest)) as rows:
        taken = rows.execute(_TAKE, asked).fetchone()
    if taken is None or taken.attempts > 1:
        return taken
    first = taken.about[0]
    when = first.get("at", first.get("day", first.get("month")))
    others = cursor.execute(_OTHERS, (taken.kind, taken.person, when, JOINED_MAX))
    found = sorted(others.fetchall())
    if not found:
        return taken
    about = [*taken.about, *(each for _, held in found for each in held)]
    cursor.execute(_JOIN, (Jsonb(about), taken.key))
    return replace(taken, about=about)


def again(cursor: Cursors, request: MailRequest, at: datetime) -> bool:
    """Store when a mail is tried again; False if another sender took it meanwhile."""
    return bool(cursor.execute(_AGAIN, (at, *_attempt(request))).rowcount)


def over(cursor: Cursors, request: MailRequest, outcome: str) -> bool:
    """Store how a mail was delivered, or why it was not; False as `again` does."""
    return bool(cursor.execute(_OVER, (outcome[:500], *_attempt(request))).rowcount)


def _attempt(request: MailRequest) -> tuple[str, int]:
    return request.key, request.attempts


def forget(cursor: Cursors, now: datetime) -> None:
    """Delete rows that no repeated request can be about any more."""
    cursor.execute(_FORGET, (now - KEPT,))


QUEUE = MessageQueue("on_call_mail", take, again, over, forget)
