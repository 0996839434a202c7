"""Codes that prove that a contact method reaches its owner.

A code follows from the id of its request and a key of the vault: the service that sends
it and the one that checks it make it by themselves, and it is stored nowhere.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from psycopg.rows import class_row

from shared.database.cursors import Cursors
from shared.security.seals import SealKeys

DIGITS = 6
VALID = timedelta(minutes=10)
"""How long a code can be entered."""
TRIES_MAX = 5
"""How often a code can be entered wrongly."""
WITHIN = timedelta(hours=1)
SENT_MAX = 5
"""Codes that one person is sent within `WITHIN`."""
PAUSE = timedelta(seconds=30)
"""The least time between two codes for one method."""
_KEPT = timedelta(days=1)

_COLUMNS = "request_id, person, method, requested_at, tries, used_at"
_ADD = """
INSERT INTO directory.contact_codes (request_id, person, method, requested_at)
VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_NEWEST = f"""
SELECT {_COLUMNS} FROM directory.contact_codes WHERE person = %s AND method = %s
ORDER BY requested_at DESC, request_id LIMIT 1
"""  # noqa: S608 # our own names
_BY_REQUEST = f"""
SELECT {_COLUMNS} FROM directory.contact_codes WHERE request_id = %s
"""  # noqa: S608 # our own names
_RECENT = """
SELECT count(*) FROM directory.contact_codes WHERE person = %s AND requested_at > %s
"""
_TRIED = "UPDATE directory.contact_codes SET tries = tries + 1 WHERE request_id = %s"
_USED = "UPDATE directory.contact_codes SET used_at = %s WHERE request_id = %s"
_FORGET = """
DELETE FROM directory.contact_codes WHERE person = %s AND requested_at < %s
"""


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code that was asked for; only the newest one of a method counts."""

    request_id: UUID
    person: str
    method: str
    requested_at: datetime
    tries: int
    used_at: datetime | None

    def is_open(self, at: datetime) -> bool:
        """Return whether it can still be entered."""
        fresh = at < self.requested_at + VALID
        return fresh and self.used_at is None and self.tries < TRIES_MAX


def code_of(key: bytes, sent: SentCode) -> str:
    """Return the six digits of a code."""
    what = f"contact-code|{sent.request_id}|{sent.person}|{sent.method}"
    number = int.from_bytes(hmac.digest(key, what.encode(), sha256))
    return f"{number % 10**DIGITS:0{DIGITS}}"


def is_right(keys: SealKeys, sent: SentCode, entered: str) -> bool:
    """Return whether these are the digits that were sent."""
    return any(hmac.compare_digest(code_of(key, sent), entered) for key in keys())


def request_code(
    cursor: Cursors, request_id: UUID, person: str, method: str, at: datetime
) -> None:
    """Ask for a code, in place of an earlier one; old ones are deleted."""
    cursor.execute(_FORGET, (person, at - _KEPT))
    cursor.execute(_ADD, (request_id, person, method, at))


def newest_code(cursor: Cursors, person: str, method: str) -> SentCode | None:
    """Return the code that counts for a method, None if none was sent lately."""
    with cursor.connection.cursor(row_factory=class_row(SentCode)) as rows:
        return rows.execute(_NEWEST, (person, method)).fetchone()


def code_of_request(cursor: Cursors, request_id: UUID) -> SentCode | None:
    """Return the code of a request, None if it was deleted."""
    with cursor.connection.cursor(row_factory=class_row(SentCode)) as rows:
        return rows.execute(_BY_REQUEST, (request_id,)).fetchone()


def codes_since(cursor: Cursors, person: str, since: datetime) -> int:
    """Return how many codes a person was sent since an instant."""
    row = cursor.execute(_RECENT, (person, since)).fetchone()
    return int(row[0]) if row else 0


def note_try(cursor: Cursors, sent: SentCode) -> None:
    """Count a wrong code."""
    cursor.execute(_TRIED, (sent.request_id,))


def note_use(cursor: Cursors, sent: SentCode, at: datetime) -> None:
    """Use a code up."""
    cursor.execute(_USED, (at, sent.request_id))
