"""The people directory: the people behind the ids in events. Separate from the log.

An import adds and changes people but deletes nobody: an id in the log must keep its
person until they ask to be forgotten.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from psycopg import Cursor
from psycopg.rows import class_row

from shared.contact_methods.store import delete_values_of
from shared.database.cursors import Cursors
from shared.domain.events.event import FORGOTTEN
from shared.domain.policy.document import Policy, people_named
from shared.mistake import Wrong

LIST_MAX = 10_000
_UNKNOWN = (
    "`{}` is not in the directory, so no page and no mail reaches them: add them with "
    "`permanence people import`"
)


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


_TEXTS = tuple(field.name for field in fields(Person) if field.name != "updated_at")
_COLUMNS = f"{', '.join(_TEXTS)}, updated_at"
_BY_ID = f"SELECT {_COLUMNS} FROM directory.people WHERE id = ANY(%s)"  # noqa: S608 # only constants
_IDS = "SELECT id FROM directory.people WHERE id = ANY(%s)"
_PRESENT = """
SELECT id FROM directory.people WHERE confirmed
  AND id NOT IN (SELECT person FROM access.removed_people WHERE returned_at IS NULL)
"""
_SYNCHRONISED = f"{_PRESENT} AND synchronised"
_MARK = """
UPDATE directory.people SET synchronised = true
WHERE id = ANY(%s) AND NOT synchronised
"""
_FORGOTTEN = "SELECT id FROM directory.people WHERE id = ANY(%s) AND name = %s"
_COLLEAGUES = """
SELECT id FROM directory.people WHERE confirmed AND id = ANY(%(ids)s)
UNION SELECT person FROM access.grants
  WHERE person = ANY(%(ids)s) AND withdrawn_at IS NULL
    AND (until IS NULL OR until > %(now)s)
UNION SELECT substr(actor, 8) FROM access.tokens
  WHERE actor = ANY(%(actors)s) AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > %(now)s)
EXCEPT SELECT person FROM access.removed_people
  WHERE person = ANY(%(ids)s) AND returned_at IS NULL
"""
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
SELECT given.*, %s FROM unnest({", ".join(["%s::text[]"] * len(_TEXTS))}) AS given
ON CONFLICT (id) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in _TEXTS if name != "id")},
    updated_at = excluded.updated_at, confirmed = true
"""  # noqa: S608 # only constants

Columns = Mapping[str, str | None]
"""One person's columns in a file: `id`, `name`, and any of the others."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import, in numbers of people."""

    added: int
    changed: int
    unchanged: int

    def plus(self, more: "Imported") -> "Imported":
        """Return the result of both."""
        return Imported(
            self.added + more.added,
            self.changed + more.changed,
            self.unchanged + more.unchanged,
        )


def import_people(
    cursor: Cursor[Any], rows: Sequence[Columns], now: datetime
) -> Imported:
    """Write validated `rows`, and return what changed, but record no address.

    A column that a row does not have keeps its value; None clears it.
    """
    changes = directory_changes(cursor, rows, now)
    write_changed(cursor, changes, now)
    return counted(changes)


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """A person after an import, and the columns that it gives and that it changes."""

    person: Person
    columns: tuple[str, ...]
    is_new: bool
    given: frozenset[str] = frozenset()


def directory_changes(
    cursor: Cursor[Any], rows: Sequence[Columns], now: datetime
) -> list[DirectoryChange]:
    """Return what an import of `rows` changes, and lock those who are known."""
    known = _known(cursor, [str(row["id"]) for row in rows])
    return [_change(known, row, now) for row in rows]


def counted(changes: Sequence[DirectoryChange]) -> Imported:
    """Return how many people an import adds and changes."""
    fresh = sum(each.is_new for each in changes)
    changed = sum(bool(each.columns) for each in changes) - fresh
    return Imported(fresh, changed, len(changes) - fresh - changed)


def _change(
    known: Mapping[str, Person], row: Columns, now: datetime
) -> DirectoryChange:
    person = _merged(known, row, now)
    before = known.get(person.id)
    columns = tuple(
        name
        for name in _TEXTS
        if getattr(person, name) != (getattr(before, name) if before else None)
    )
    return DirectoryChange(person, columns, before is None, frozenset(row))


def write_changed(
    cursor: Cursor[Any], changes: Sequence[DirectoryChange], now: datetime
) -> None:
    """Write the people whom an import changes."""
    write_people(cursor, [each.person for each in changes if each.columns], now)


def write_people(cursor: Cursor[Any], people: Sequence[Person], now: datetime) -> None:
    """Write people, in the order of their ids."""
    written = sorted(people, key=lambda person: person.id)
    columns = [[getattr(person, name) for person in written] for name in _TEXTS]
    cursor.execute(_UPSERT, (now, *columns))
    for each in written:
        if each.name == FORGOTTEN:  # their entry was emptied, as they are forgotten
            delete_values_of(cursor, each.id)


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


def clients_of(cursor: Cursors, ids: Sequence[str]) -> dict[str, str]:
    """Return the client of each of these people who has one."""
    if not ids:
        return {}
    return dict(cursor.execute(_CLIENTS, (list(ids),)).fetchall())


def known_people(cursor: Cursor[Any], ids: Sequence[str]) -> frozenset[str]:
    """Return those of these ids that the directory has."""
    rows = cursor.execute(_IDS, (list(ids),), binary=True).fetchall()
    return frozenset(row[0] for row in rows)


def strangers(
    cursor: Cursor[Any], ids: Collection[str], now: datetime
) -> frozenset[str]:
    """Return those of these ids whom neither the directory nor a right knows.

    Removed people and senders whose identity nobody confirmed count as strangers.
    """
    if not ids:
        return frozenset()
    asked = sorted(ids)
    actors = [f"person:{each}" for each in asked]
    given = {"ids": asked, "actors": actors, "now": now}
    rows = cursor.execute(_COLLEAGUES, given, binary=True).fetchall()
    return frozenset(ids) - {row[0] for row in rows}


def people_to_keep(cursor: Cursor[Any]) -> frozenset[str]:
    """Return everybody whose identity is confirmed, and who was not removed."""
    return frozenset(row[0] for row in cursor.execute(_PRESENT).fetchall())


def synchronised_people(cursor: Cursor[Any]) -> frozenset[str]:
    """Return those of them who were once found by a synchronisation."""
    return frozenset(row[0] for row in cursor.execute(_SYNCHRONISED).fetchall())


def mark_synchronised(cursor: Cursor[Any], ids: Sequence[str]) -> None:
    """Record who was found by a synchronisation, so that it may remove them."""
    cursor.execute(_MARK, (list(ids),))


def forgotten_people(cursor: Cursor[Any], ids: Sequence[str]) -> frozenset[str]:
    """Return those of these ids whose entry was emptied, as they were forgotten."""
    rows = cursor.execute(_FORGOTTEN, (list(ids), FORGOTTEN)).fetchall()
    return frozenset(row[0] for row in rows)


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
    given: dict[str, Any] = {k: v for k, v in row.items() if k in _TEXTS}
    before = known.get(given["id"])
    return replace(before, **given) if before else Person(**given, updated_at=now)
