"""Allocates new references, from one sequence for each kind of record."""

from psycopg import sql

from shared.database.cursors import Cursors
from shared.domain.record import REF_OF_NUMBER, RecordKind

_NUMBERS = sql.SQL("SELECT nextval({}) FROM generate_series(1, %s)")


def new_refs(cursor: Cursors, kind: RecordKind, count: int) -> list[str]:
    """Return new references for an `incident`, `problem` or `change`.

    Unused references leave gaps in the numbering.
    """
    if not count:
        return []
    name = REF_OF_NUMBER[kind]
    query = _NUMBERS.format(sql.Literal(f"intake.{kind}_numbers"))
    return [name(number) for (number,) in cursor.execute(query, (count,)).fetchall()]
