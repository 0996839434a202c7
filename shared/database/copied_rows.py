"""Reads a table of another role, and runs nothing of that role's.

A thief of a service's password may change the tables that it owns. A view in the place
of a table, a policy, the cast of a column's own type and, once a query is planned, the
expression of an index run functions of theirs in the session that reads. COPY of a
table plans no query, casts nothing, and refuses what is not a table.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from psycopg import Cursor, sql

ROWS_MAX = 1_000_000
"""More rows are not the program's, and would fill the memory of who looks."""
_COPY = "COPY {table} ({columns}) TO STDOUT"
_NOT_OURS = (
    psycopg.errors.WrongObjectType,
    psycopg.errors.InsufficientPrivilege,  # row-level security
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InvalidColumnReference,  # generated
    psycopg.errors.LockNotAvailable,
    psycopg.DataError,
    ValueError,
)


class ReplacedTable(Exception):
    """The table is not as this program created it."""


def copied_rows(
    cursor: Cursor[Any], schema: str, table: str, columns: Mapping[str, str]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a table, in any order; `columns`, never null, have these types.

    Raises `ReplacedTable` if the table has become something else.
    """
    command = sql.SQL(_COPY).format(
        table=sql.Identifier(schema, table),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
    )
    try:
        cursor.execute("SELECT set_config('row_security', 'off', true)")
        with cursor.copy(command) as copy:
            copy.set_types(list(columns.values()))
            for number, row in enumerate(copy.rows(), 1):
                if None in row:
                    raise ValueError("a value is missing")
                if number > ROWS_MAX:
                    raise ValueError(f"it has more than {ROWS_MAX} rows")
                yield row
    except _NOT_OURS as error:
        why = str(error).partition("\n")[0]
        raise ReplacedTable(
            f"{schema}.{table} cannot be read as this program made it ({why}): unless "
            "you may not read it, somebody with the password of its owner changed it"
        ) from error
    cursor.execute("SELECT set_config('row_security', 'on', true)")
