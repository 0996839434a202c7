"""Who somebody is to the API: what the directory says of a person, if it knows them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Cursor
from psycopg.rows import class_row

_PERSON = """
SELECT id, name, language, zone, email IS NOT NULL AS has_mail FROM directory.people
WHERE id = %s
"""


FOUND_MAX = 20
"""People that one look-up finds, unless more are named by their ids."""
NAMED_MAX = 50
"""People whose incidents one search finds by name."""
NAME_WORD_MIN = 2
"""Letters of a name that say anything."""
DIGITS_COMPARED = 9
"""Of a telephone number, from its end: whatever stands before, it is the same line."""
_COLUMNS = "id, name, email, phone, language, zone, client, confirmed"
_ENTRY = f"SELECT {_COLUMNS} FROM directory.people WHERE id = %s"  # noqa: S608 # our own names
_NAMES = "SELECT id, name FROM directory.people WHERE id = ANY(%s)"
_SEARCH = f"""
SELECT {_COLUMNS} FROM directory.people
WHERE (%(email)s::text IS NULL OR lower(email) = lower(%(email)s))
  AND (%(phone)s::text IS NULL OR %(phone)s = right(
       regexp_replace(phone, '[^0-9]', '', 'g'), {DIGITS_COMPARED}))
  AND (%(ids)s::text[] IS NULL OR id = ANY(%(ids)s))
  AND (%(q)s::text IS NULL OR name ILIKE %(q)s OR id ILIKE %(q)s)
ORDER BY confirmed DESC, name, id LIMIT %(most)s
"""  # noqa: S608 # our own names


_IDS_BY_WORD = """
SELECT person.id, array_agg(word)
FROM unnest(%s::text[]) AS word
JOIN directory.people AS person
  ON directory.words_of(person.name) @@ format('''%%s'':*', word)::tsquery
GROUP BY person.id ORDER BY count(*) DESC, person.id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """All that the directory has of a person. `confirmed`: somebody said who it is."""

    id: str
    name: str
    email: str | None
    phone: str | None
    language: str | None
    zone: str | None
    client: str | None
    confirmed: bool


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


def entry(cursor: Cursor[Any], id_: str) -> DirectoryEntry | None:
    """Return all that the directory has of an id, None where it has nothing."""
    with cursor.connection.cursor(row_factory=class_row(DirectoryEntry)) as rows:
        return rows.execute(_ENTRY, (id_,)).fetchone()


def names(cursor: Cursor[Any], ids: Iterable[str]) -> Mapping[str, str]:
    """Return what these people are called; whom the directory lacks is left out."""
    wanted = sorted(set(ids))
    return dict(cursor.execute(_NAMES, (wanted,)).fetchall()) if wanted else {}


def ids_by_word(
    cursor: Cursor[Any], words: Sequence[str]
) -> Mapping[str, Sequence[str]]:
    """Return who has each word in their name, from its beginning; by `words_of`.

    At most `NAMED_MAX` people, first those whose names have most of the words.
    """
    wanted = [word for word in words if len(word) >= NAME_WORD_MIN]
    found: dict[str, list[str]] = {}
    if wanted:
        for id_, named in cursor.execute(_IDS_BY_WORD, (wanted, NAMED_MAX)):
            for word in named:
                found.setdefault(word, []).append(id_)
    return found


def search(
    cursor: Cursor[Any],
    q: str | None,
    email: str | None,
    phone: str | None,
    ids: Sequence[str] = (),
) -> list[DirectoryEntry]:
    """Return who fits all that is given: words, an address, a telephone number, ids."""
    digits = "".join(each for each in phone or "" if each in "0123456789")
    asked = {
        "q": f"%{_literal(q)}%" if q else None,
        "email": email,
        "phone": digits[-DIGITS_COMPARED:] if phone else None,
        "ids": list(ids) or None,
        "most": max(FOUND_MAX, len(ids)),
    }
    with cursor.connection.cursor(row_factory=class_row(DirectoryEntry)) as rows:
        return rows.execute(_SEARCH, asked).fetchall()


def _literal(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
