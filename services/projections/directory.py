"""Who somebody is to the API: what the directory says of a person, if it knows them."""

from dataclasses import dataclass
from typing import Any

from psycopg import Cursor
from psycopg.rows import class_row

_PERSON = """
SELECT id, name, language, zone, email IS NOT NULL AS has_mail FROM directory.people
WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class Person:
    """A person of the directory. Without a language or zone: those of the desk."""

    id: str
    name: str
    language: str | None
    zone: str | None
    has_mail: bool


def person(cursor: Cursor[Any], id_: str) -> Person | None:
    """Return the person of an id, None where the directory has none."""
    with cursor.connection.cursor(row_factory=class_row(Person)) as rows:
        return rows.execute(_PERSON, (id_,)).fetchone()
