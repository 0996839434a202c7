"""Reads people in the directory: by id, name, address or telephone number."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Cursor
from psycopg.rows import class_row

_PERSON = """
SELECT id, name, language, zone, email IS NOT NULL AS has_mail FROM directory.people
WHERE id = %s
"""
_HAS_ADDRESS = "SELECT email IS NOT NULL FROM directory.people WHERE id = %s"


FOUND_MAX = 20
"""The maximum number of people that one look-up finds, unless it names more ids."""
NAMED_MAX = 50
"""The maximum number of people whose incidents a search by name finds."""
NAME_WORD_MIN = 2
"""The minimum length of a word in a search by name."""
CALLER_WORDS_MAX = 6
"""The maximum number of words in a look-up of a caller."""
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
  AND (%(q)s::text IS NULL OR name ILIKE %(q)s OR id ILIKE %(q)s
       OR id IN (SELECT id FROM directory.people
                 WHERE directory.words_of(name) @@ %(named)s::tsquery))
ORDER BY confirmed DESC, name, id LIMIT %(most)s
"""  # noqa: S608 # our own names


_PHONE = re.compile(r"[0-9+ ().-]{4,40}")
_CALLERS = f"""
SELECT {_COLUMNS} FROM directory.people
WHERE CASE WHEN %(digits)s::text IS NOT NULL
  THEN position(%(digits)s in regexp_replace(phone, '[^0-9]', '', 'g')) > 0
  ELSE NOT EXISTS (
    SELECT FROM unnest(%(words)s::text[]) AS word
    WHERE concat_ws(' ', name, id, email, client) NOT ILIKE word)
  END
ORDER BY confirmed DESC, name ILIKE %(first)s DESC, name, id LIMIT %(most)s
"""  # noqa: S608 # our own names
_CLIENTS = """
WITH RECURSIVE named AS (
  (SELECT client FROM directory.people WHERE client IS NOT NULL ORDER BY client LIMIT 1)
  UNION ALL
  SELECT (SELECT client FROM directory.people WHERE client > named.client
          ORDER BY client LIMIT 1)
  FROM named WHERE named.client IS NOT NULL
)
SELECT client FROM named WHERE client IS NOT NULL LIMIT %s
"""
"""One look into the index for each client, however many people it has."""
_IDS_BY_WORD = """
SELECT person.id, array_agg(word)
FROM unnest(%s::text[]) AS word
JOIN directory.people AS person
  ON directory.words_of(person.name) @@ format('''%%s'':*', word)::tsquery
GROUP BY person.id ORDER BY count(*) DESC, person.id LIMIT %s
"""


_REACHABLE = """
SELECT id FROM directory.people
WHERE (email IS NOT NULL OR phone IS NOT NULL)
  AND (%(ids)s::text[] IS NULL OR id = ANY(%(ids)s))
LIMIT %(most)s
"""


_BY_IDENTITY = """
SELECT id, id FROM directory.people WHERE lower(id) = ANY(%(words)s)
UNION
SELECT lower(email), id FROM directory.people WHERE lower(email) = ANY(%(words)s)
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


def has_address(cursor: Cursor[Any], id_: str) -> bool:
    """Return whether the directory has an e-mail address of a person."""
    return cursor.execute(_HAS_ADDRESS, (id_,)).fetchone() == (True,)


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


def ids_by_identity(cursor: Cursor[Any], words: Iterable[str]) -> Mapping[str, str]:
    """Return the ids of people by their id or mail address, in lower case.

    An address that several people share is left out.
    """
    found: dict[str, set[str]] = {}
    for word, id_ in cursor.execute(_BY_IDENTITY, {"words": sorted(set(words))}):
        found.setdefault(word.lower(), set()).add(id_)
    return {word: next(iter(ids)) for word, ids in found.items() if len(ids) == 1}


def search(
    cursor: Cursor[Any],
    q: str | None,
    email: str | None,
    phone: str | None,
    ids: Sequence[str] = (),
    words: Sequence[str] = (),
) -> list[DirectoryEntry]:
    """Return people who match all criteria: words, address, telephone number, ids.

    `q` is a part of the name or the id. `words` are those of `q` as `words_of` has
    them: a name whose words begin with all of them matches too, in any order.
    """
    digits = "".join(each for each in phone or "" if each in "0123456789")
    asked = {
        "q": f"%{_literal(q)}%" if q else None,
        "named": " & ".join(f"'{word}':*" for word in words) or None,
        "email": email,
        "phone": digits[-DIGITS_COMPARED:] if phone else None,
        "ids": list(ids) or None,
        "most": max(FOUND_MAX, len(ids)),
    }
    with cursor.connection.cursor(row_factory=class_row(DirectoryEntry)) as rows:
        return rows.execute(_SEARCH, asked).fetchall()


def callers(cursor: Cursor[Any], q: str, most: int) -> list[DirectoryEntry]:
    """Return people for what is typed during a call, the most likely first.

    Digits are part of a telephone number. Of words, each must be in the name, the id,
    the address or the client; a name that begins with the first one comes first.
    """
    words = [f"%{_literal(word)}%" for word in q.split()][:CALLER_WORDS_MAX]
    digits = "".join(each for each in q if each in "0123456789")
    asked = {
        "digits": digits[-DIGITS_COMPARED:] if _PHONE.fullmatch(q.strip()) else None,
        "words": words,
        "first": words[0][1:] if words else "",
        "most": most,
    }
    with cursor.connection.cursor(row_factory=class_row(DirectoryEntry)) as rows:
        return rows.execute(_CALLERS, asked).fetchall()


def clients(cursor: Cursor[Any], most: int) -> Sequence[str]:
    """Return up to `most` of the clients that people belong to, by name."""
    return [row[0] for row in cursor.execute(_CLIENTS, (most,))]


def _literal(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def reachable(
    cursor: Cursor[Any], most: int, ids: Sequence[str] | None = None
) -> Sequence[str]:
    """Return up to `most` people with an address or a number, all or of `ids`."""
    wanted = {"ids": None if ids is None else list(ids), "most": most}
    return [row[0] for row in cursor.execute(_REACHABLE, wanted)]
