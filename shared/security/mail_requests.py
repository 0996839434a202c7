"""Requests for mail about signing in, from the API to the service that sends mail.

They are rows of a table and not events: an address that somebody typed is not written
into the log. Whether anybody has that address is looked up later by the sender, so the
answer to the request takes the same time for every address.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from shared.database.cursors import Cursors

WAITING_MAX = 1_000
"""Requests that may wait; further ones are dropped, since somebody floods."""
AGAIN = timedelta(minutes=1)
"""When a request is taken again whose sender failed or died."""

_ASK = """
INSERT INTO access.sign_in_mail (
    request_id, kind, address, person, session_id, label, requested_at, next_at
)
SELECT %(request_id)s, %(kind)s, %(address)s, %(person)s, %(session_id)s, %(label)s,
       %(now)s, %(now)s
WHERE %(kind)s IN ('break_glass', 'contact_change')
   OR (SELECT count(request_id) FROM access.sign_in_mail) < %(most)s
"""
_TAKE = """
UPDATE access.sign_in_mail SET next_at = %(again)s, attempts = attempts + 1
WHERE request_id = (
    SELECT request_id FROM access.sign_in_mail WHERE next_at <= %(now)s
    ORDER BY (kind <> 'break_glass'), next_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING request_id, kind, address, person, session_id, label, requested_at,
          attempts, sent
"""
_SENT = """
UPDATE access.sign_in_mail SET sent = array_append(sent, %s) WHERE request_id = %s
"""
_DONE = "DELETE FROM access.sign_in_mail WHERE request_id = %s"


@dataclass(frozen=True, slots=True)
class MailRequest:
    """A link for who has `address`, an invitation of a person, or an alarm.

    Or what concerns the contact methods of a person: a code, the notice of a change.
    """

    request_id: UUID
    kind: Literal["link", "invitation", "break_glass", "contact_code", "contact_change"]
    address: str | None
    person: str | None
    session_id: str | None
    label: str
    requested_at: datetime
    attempts: int
    sent: list[str]
    """The keys of those of its messages that are over."""


def request_link(
    cursor: Cursors, request_id: UUID, address: str, now: datetime
) -> None:
    """Ask that those who have an address are sent a link."""
    _insert(cursor, request_id, now, kind="link", address=address)


def request_alarm(
    cursor: Cursors,
    request_id: UUID,
    session_id: str,
    label: str,
    now: datetime,
) -> None:
    """Ask that managers are told of a session that a break-glass code began."""
    _insert(
        cursor, request_id, now, kind="break_glass", session_id=session_id, label=label
    )


def request_invitation(
    cursor: Cursors,
    request_id: UUID,
    person: str,
    by: str,
    now: datetime,
) -> bool:
    """Ask that a person is mailed the link of an invitation; False if too many wait."""
    return _insert(cursor, request_id, now, kind="invitation", person=person, label=by)


def request_contact_code(
    cursor: Cursors, request_id: UUID, person: str, now: datetime
) -> bool:
    """Ask that a code is sent to a contact method; False if too many requests wait."""
    return _insert(cursor, request_id, now, kind="contact_code", person=person)


def request_contact_notice(
    cursor: Cursors,
    request_id: UUID,
    person: str,
    change: str,
    now: datetime,
) -> None:
    """Ask that a person is told of a change of their contact methods.

    `change` says which: `added|sms|nadia.3`.
    """
    _insert(cursor, request_id, now, kind="contact_change", person=person, label=change)


def take(cursor: Cursors, now: datetime) -> MailRequest | None:
    """Take the next request that is due, alarms first; None if none is.

    It is due again in a while, unless it is `done`.
    """
    asked = {"now": now, "again": now + AGAIN}
    with cursor.connection.cursor(row_factory=class_row(MailRequest)) as rows:
        return rows.execute(_TAKE, asked).fetchone()


def note_sent(cursor: Cursors, request_id: UUID, key: str) -> None:
    """Record that one message of a request is over: it is not sent again."""
    cursor.execute(_SENT, (key, request_id))


def done(cursor: Cursors, request_id: UUID) -> None:
    """Delete a request, with the address."""
    cursor.execute(_DONE, (request_id,))


def _insert(cursor: Cursors, request_id: UUID, now: datetime, **given: object) -> bool:
    row = {"address": None, "person": None, "session_id": None, "label": ""} | given
    whole = row | {"request_id": request_id, "now": now, "most": WAITING_MAX}
    return cursor.execute(_ASK, whole).rowcount > 0
