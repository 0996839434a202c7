"""Reads people in the directory: by id, name, address or telephone number."""

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
"""The maximum number of people that one look-up finds, unless it names more ids."""
NAMED_MAX = 50
"""The maximum number of people whose incidents a search by name finds."""
NAME_WORD_MIN = 2
"""The minimum length of a word in a search by name."""
DIGITS_COMPARED = 9
"""How many last digits of telephone numbers are compared: prefixes vary."""
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
    """A person's entry in the directory. `confirmed`: the identity is confirmed."""

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
    """A person in the directory; the desk's language and zone are the defaults."""

    id: str
    name: str
    language: str | None
    zone: str | None
    has_mail: bool


def person(cursor: Cursor[Any], id_: str) -> Person | None:
    """Return the person with an id, None if unknown."""
    with cursor.connection.cursor(row_factory=class_row(Person)) as rows:
        return rows.execute(_PERSON, (id_,)).fetchone()


def entry(cursor: Cursor[Any], id_: str) -> DirectoryEntry | None:
    """Return the directory entry of an id, None if unknown."""
    with cursor.connection.cursor(row_factory=class_row(DirectoryEntry)) as rows:
        return rows.execute(_ENTRY, (id_,)).fetchone()


def names(cursor: Cursor[Any], ids: Iterable[str]) -> Mapping[str, str]:
    """Return the names of these people; unknown ones are left out."""
    wanted = sorted(set(ids))
    return dict(cursor.execute(_NAMES, (wanted,)).fetchall()) if wanted else {}


def ids_by_word(
    cursor: Cursor[Any], words: Sequence[str]
) -> Mapping[str, Sequence[str]]:
    """Return the ids of people with each word as a prefix in their name (`words_of`).

    At most `NAMED_MAX` people, those whose names match most words first.
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
    """Return people who match all criteria: words, address, telephone number, ids."""
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
