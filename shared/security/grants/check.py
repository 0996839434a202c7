"""Compares the tables of rights with the log, and writes them again from it.

The log is the truth: somebody who can write to the database could give themselves a
right in a table, but cannot append an event for it without breaking the chain of the
log.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.database.cursors import Cursors
from shared.domain.person import NOTHING, PersonRights
from shared.eventlog.log import EventLog
from shared.security.grants.projection import (
    NO_ROWS,
    Difference,
    PersonRows,
    differences,
    rows_of,
)
from shared.security.grants.store import everybody, tables, write_rows

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
# Waits for those who are writing, and lets nobody write until the end: the log that is
# read afterwards says what the tables have to say.
_LOCK = """
LOCK TABLE access.grants, access.removed_people IN SHARE ROW EXCLUSIVE MODE
"""
_DELETE_GRANT = "DELETE FROM access.grants WHERE grant_id = %s AND person = %s"
_DELETE_REMOVAL = "DELETE FROM access.removed_people WHERE person = %s"


@dataclass(frozen=True, slots=True)
class Compared:
    """How many people's rights were compared, and what differs."""

    people: int
    differences: list[Difference]


def compare(log: EventLog) -> Compared:
    """Compare the tables with the log, as they are at one instant. Blocks."""
    with log.transaction() as cursor:
        cursor.execute(_SNAPSHOT)
        people = list(_people(log, cursor))
    found = [each for one in people for each in differences(*one)]
    return Compared(len(people), found)


def rewrite(log: EventLog) -> Compared:
    """Write the tables again from the log; return what differed. Blocks.

    The rows of people whose events cannot be read are left as they are.
    """
    found: list[Difference] = []
    count = 0
    with log.transaction() as cursor:
        cursor.execute(_LOCK)
        for person, rights, rows in _people(log, cursor):
            count += 1
            wrong = list(differences(person, rights, rows))
            found += wrong
            if wrong and rights.unreadable is None:
                _replace(cursor, rows, rows_of(person, rights))
    return Compared(count, found)


def _people(
    log: EventLog, cursor: Cursors
) -> Iterator[tuple[str, PersonRights, PersonRows]]:
    """Yield everybody in the log or in a table."""
    left = dict(tables(cursor))
    for person, rights in everybody(log, cursor):
        yield person, rights, left.pop(person, NO_ROWS)
    for person, rows in sorted(left.items()):
        yield person, NOTHING, rows


def _replace(cursor: Cursors, before: PersonRows, after: PersonRows) -> None:
    for grant in before.grants.keys() - after.grants.keys():
        # Unless it was given back meanwhile to the person whose it is.
        cursor.execute(_DELETE_GRANT, (grant, before.grants[grant].person))
    if before.removal is not None and after.removal is None:
        cursor.execute(_DELETE_REMOVAL, (before.removal.person,))
    write_rows(cursor, before, after)
