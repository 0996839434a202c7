"""How far each mailbox was read."""

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
    """The number of the last mail that was taken; good for its validity only."""

    validity: int
    uid: int


def read_mark(cursor: Cursor[Any], source: str) -> Mark | None:
    """Return how far a mailbox was read, None where it never was."""
    row = cursor.execute(_READ, (source,)).fetchone()
    return Mark(*row) if row else None


def write_mark(cursor: Cursor[Any], source: str, mark: Mark) -> None:
    """Remember how far a mailbox is read."""
    cursor.execute(_WRITE, (source, mark.validity, mark.uid))
