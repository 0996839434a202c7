"""The reading position of each mailbox."""

from dataclasses import dataclass
from typing import Any

from psycopg import Cursor

_READ = "SELECT validity, uid FROM intake.mailboxes WHERE source = %s"
_WRITE = """
INSERT INTO intake.mailboxes (source, validity, uid) VALUES (%s, %s, %s)
ON CONFLICT (source) DO UPDATE SET validity = excluded.validity, uid = excluded.uid
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """The UID of the last mail taken; valid only with this UIDVALIDITY."""

    validity: int
    uid: int


def read_mark(cursor: Cursor[Any], source: str) -> Mark | None:
    """Return the position of a mailbox, or None if it was never read."""
    row = cursor.execute(_READ, (source,)).fetchone()
    return Mark(*row) if row else None


def write_mark(cursor: Cursor[Any], source: str, mark: Mark) -> None:
    """Store the position of a mailbox."""
    cursor.execute(_WRITE, (source, mark.validity, mark.uid))
