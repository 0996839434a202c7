"""References nobody had before, from one sequence a kind of record."""

from typing import Any

from psycopg import Cursor, sql

from services.intake.records import REF_OF_NUMBER

_NUMBERS = sql.SQL("SELECT nextval({}) FROM generate_series(1, %s)")


def new_refs(cursor: Cursor[tuple[Any, ...]], kind: str, count: int) -> list[str]:
    """Return so many references of an `incident`, `problem` or `change`.

    The unused ones are gaps.
    """
    if not count:
        return []
    name = REF_OF_NUMBER[kind]
    query = _NUMBERS.format(sql.Literal(f"intake.{kind}_numbers"))
    return [name(number) for (number,) in cursor.execute(query, (count,)).fetchall()]
