"""The people directory: the people behind the ids in events. Separate from the log.

An import adds and changes people but deletes nobody: an id in the log must keep its
person until they ask to be forgotten.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg import Cursor
from psycopg.rows import class_row

from shared.domain.policy.document import Policy, people_named
from shared.mistake import Wrong

LIST_MAX = 10_000
_UNKNOWN = (
    "`{}` is not in the directory, so no page and no mail reaches them: add them with "
    "`permanence people import`"
)

_TEXTS = ("id", "name", "email", "phone", "language", "zone", "client")
_COLUMNS = f"{', '.join(_TEXTS)}, updated_at"
_BY_ID = f"SELECT {_COLUMNS} FROM directory.people WHERE id = ANY(%s)"  # noqa: S608 # only constants
_IDS = "SELECT id FROM directory.people WHERE id = ANY(%s)"
_LOCKED = f"{_BY_ID} ORDER BY id FOR UPDATE"
_LIST = f"""
SELECT {_COLUMNS} FROM directory.people
WHERE %(client)s::text IS NULL OR client = %(client)s
ORDER BY id LIMIT %(limit)s
"""  # noqa: S608 # only constants
_CLIENTS = """
SELECT id, client FROM directory.people WHERE id = ANY(%s) AND client IS NOT NULL
"""
_UPSERT = f"""
INSERT INTO directory.people ({_COLUMNS})
SELECT given.*, %s FROM unnest(
    %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[]
) AS given
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, email = excluded.email, phone = excluded.phone,
    language = excluded.language, zone = excluded.zone, client = excluded.client,
    updated_at = excluded.updated_at, confirmed = true
"""  # noqa: S608 # only constants

Columns = Mapping[str, str | None]
"""One person's columns in a file: `id`, `name`, and any of the others."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person. Without a language or zone, those of the desk apply."""

    id: str
    name: str
    updated_at: datetime
    email: str | None = None
    phone: str | None = None
    language: str | None = None
    zone: str | None = None
    client: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import, in numbers of people."""

    added: int
    changed: int
    unchanged: int


def import_people(
    cursor: Cursor[Any], rows: Sequence[Columns], now: datetime
) -> Imported:
    """Write validated `rows`, and return what changed.

    A column that a row does not have keeps its value; None clears it.
    """
    known = _known(cursor, [str(row["id"]) for row in rows])
    wanted = [_merged(known, row, now) for row in rows]
    fresh = [person for person in wanted if person.id not in known]
    changed = [p for p in wanted if p.id in known and p != known[p.id]]
    written = sorted((*fresh, *changed), key=lambda person: person.id)
    columns = [[getattr(person, name) for person in written] for name in _TEXTS]
    cursor.execute(_UPSERT, (now, *columns))
    return Imported(len(fresh), len(changed), len(rows) - len(written))


def person(cursor: Cursor[Any], id_: str) -> Person | None:
    """Return the person with an id, or None if the directory has none."""
    with cursor.connection.cursor(row_factory=class_row(Person)) as rows:
        return rows.execute(_BY_ID, ([id_],)).fetchone()


def people(
    cursor: Cursor[Any], client: str | None = None, limit: int = LIST_MAX
) -> list[Person]:
    """Return people ordered by id, all or those of one client."""
    with cursor.connection.cursor(row_factory=class_row(Person)) as rows:
        wanted = {"client": client, "limit": min(limit, LIST_MAX)}
        return rows.execute(_LIST, wanted).fetchall()


def clients_of(cursor: Cursor[tuple[Any, ...]], ids: Sequence[str]) -> dict[str, str]:
    """Return the client of each of these people who has one."""
    if not ids:
        return {}
    return dict(cursor.execute(_CLIENTS, (list(ids),)).fetchall())


def unknown_people(cursor: Cursor[Any], policy: Policy) -> list[Wrong]:
    """Return the people named in a policy but missing in the directory, and where."""
    named = people_named(policy)
    rows = cursor.execute(_IDS, (list(named),), binary=True).fetchall()
    unknown = named.keys() - {row[0] for row in rows}
    return [
        (path, _UNKNOWN.format(person))
        for person, path in named.items()
        if person in unknown
    ]


def _known(cursor: Cursor[Any], ids: list[str]) -> dict[str, Person]:
    with cursor.connection.cursor(row_factory=class_row(Person)) as rows:
        return {found.id: found for found in rows.execute(_LOCKED, (ids,))}


def _merged(known: Mapping[str, Person], row: Columns, now: datetime) -> Person:
    given: dict[str, Any] = dict(row)
    before = known.get(given["id"])
    return replace(before, **given) if before else Person(**given, updated_at=now)
