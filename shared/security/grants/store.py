"""Reads what people may do from the log, and keeps the tables that say the same.

The writer of a person's events writes the tables in the same transaction, before it
appends.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from psycopg.rows import tuple_row

from shared.database.cursors import Cursors
from shared.domain.events import is_person_event
from shared.domain.identifiers import person_stream
from shared.domain.person import NOTHING, PersonRights, replay
from shared.eventlog.log import SELECT_ROWS, EventLog, Row
from shared.security.grants.projection import (
    GrantRow,
    PersonRows,
    RemovalRow,
    rows_of,
)

PREFIX = person_stream("")
READ_AT_ONCE = 1_000
_EVERYBODY = f"""
{SELECT_ROWS} WHERE starts_with(originator_id, %s)
ORDER BY originator_id, originator_version
"""
_GRANT_COLUMNS = ", ".join(GrantRow._fields)
_REMOVAL_COLUMNS = ", ".join(RemovalRow._fields)
_GRANTS = f"SELECT {_GRANT_COLUMNS} FROM access.grants"  # noqa: S608 # our own names
_REMOVALS = f"SELECT {_REMOVAL_COLUMNS} FROM access.removed_people"  # noqa: S608 # our own names
_GIVE = f"""
INSERT INTO access.grants ({_GRANT_COLUMNS})
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (grant_id) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in GrantRow._fields[1:])}
"""  # noqa: S608 # our own names
_REMOVE = f"""
INSERT INTO access.removed_people ({_REMOVAL_COLUMNS}) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (person) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in RemovalRow._fields[1:])}
"""  # noqa: S608 # our own names
_WITHDRAW_ALL = """
UPDATE access.grants SET withdrawn_at = %s WHERE person = %s AND withdrawn_at IS NULL
"""


def rights_of(
    log: EventLog, cursor: Cursors, people: Sequence[str]
) -> Mapping[str, PersonRights]:
    """Return the rights of people by their events, also of those without any."""
    streams = [person_stream(person) for person in people]
    found = dict(_by_person(log, log.stored_histories(cursor, streams)))
    return {person: found.get(person, NOTHING) for person in people}


def everybody(log: EventLog, cursor: Cursors) -> Iterator[tuple[str, PersonRights]]:
    """Yield everybody who has events, with their rights by these events."""
    with cursor.connection.cursor("everybody", row_factory=tuple_row) as rows:
        rows.itersize = READ_AT_ONCE
        rows.execute(_EVERYBODY, (PREFIX,))
        yield from _by_person(log, (Row(*row) for row in rows))


def tables(cursor: Cursors) -> Mapping[str, PersonRows]:
    """Return the rows about everybody, by person."""
    grants: dict[str, dict[str, GrantRow]] = {}
    for row in map(GrantRow._make, cursor.execute(_GRANTS).fetchall()):
        grants.setdefault(row.person, {})[row.grant_id] = row
    removals = {
        row.person: row
        for row in map(RemovalRow._make, cursor.execute(_REMOVALS).fetchall())
    }
    return {
        person: PersonRows(grants.get(person, {}), removals.get(person))
        for person in {*grants, *removals}
    }


def write(
    cursor: Cursors, person: str, before: PersonRights, after: PersonRights
) -> None:
    """Write the rows that events of a person change.

    A removal also ends what the table alone says.
    """
    if after.removal is not None and after.removal != before.removal:
        cursor.execute(_WITHDRAW_ALL, (after.removal.at, person))
    write_rows(cursor, rows_of(person, before), rows_of(person, after))


def write_rows(cursor: Cursors, before: PersonRows, after: PersonRows) -> None:
    """Insert and update the rows that differ; none is deleted."""
    for grant, row in after.grants.items():
        if before.grants.get(grant) != row:
            cursor.execute(_GIVE, row)
    if after.removal is not None and after.removal != before.removal:
        cursor.execute(_REMOVE, after.removal)


def _by_person(
    log: EventLog, rows: Iterable[Row]
) -> Iterator[tuple[str, PersonRights]]:
    for stream, stored in groupby(rows, key=attrgetter("stream")):
        yield stream.removeprefix(PREFIX), _replayed(log, list(stored))


def _replayed(log: EventLog, rows: Sequence[Row]) -> PersonRights:
    """Return the rights after these events of one stream, as far as they are readable.

    Words are left out: what somebody may do does not depend on any.
    """
    entries, unreadable = log.without_words(rows)
    rights = replay(e.event for e in entries if is_person_event(e.event))
    first = next(iter(unreadable), None)
    why = f"the event at {first.position} ({first.type})" if first else None
    return replace(rights, version=rows[-1].version, unreadable=why)
