"""Whose letter it is: the directory knows them by their address, or learns it.

The address of somebody new is kept in the directory, which can be corrected and
forgotten, and never in the log: their id is made up and says nothing about them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor

from services.intake.letters.letter import Letter
from services.intake.people_row import checked

SHARED_MAX = 20
"""People who may share an address."""
_ALONE = "SELECT pg_advisory_xact_lock(20250630, hashtext(%s))"
_FIND = """
SELECT id, confirmed FROM directory.people WHERE lower(email) = lower(%s)
ORDER BY confirmed DESC, id LIMIT %s
"""
_LEARN = """
INSERT INTO directory.people (id, name, email, language, updated_at, confirmed)
VALUES (%s, %s, %s, %s, %s, false)
"""


@dataclass(frozen=True, slots=True)
class Senders:
    """Who may have written: usually one person; `known` if somebody said who it is."""

    ids: tuple[str, ...]
    known: bool


def senders_of(cursor: Cursor[Any], address: str) -> Senders | None:
    """Return whose address this is, None where the directory has it not."""
    found = cursor.execute(_FIND, (address, SHARED_MAX)).fetchall()
    if not found:
        return None
    return Senders(tuple(id_ for id_, _ in found), found[0][1])


def learnt(cursor: Cursor[Any], letter: Letter, now: datetime) -> Senders | None:
    """Return whose letter it is; somebody new gets an id, and is unconfirmed.

    None where the address is none that could be written to.
    """
    cursor.execute(_ALONE, (letter.sender,))  # two letters of theirs make one person
    found = senders_of(cursor, letter.sender)
    if found is not None:
        return found
    id_ = f"mail-{letter.key.hex[:16]}"
    name = letter.name or letter.sender.partition("@")[0]
    row = checked({"id": id_, "name": name, "email": letter.sender})
    if isinstance(row, list):
        return None
    given = (id_, row["name"], row["email"], letter.language, now)
    cursor.execute(_LEARN, given)
    return Senders((id_,), known=False)
