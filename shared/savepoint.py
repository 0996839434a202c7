"""A savepoint that the commit releases.

psycopg's own nested transaction ends with RELEASE: one more statement while the append
lock is held, after which nothing but the commit may follow.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Cursor, sql


@contextmanager
def savepoint(cursor: Cursor[tuple[Any, ...]], name: str) -> Iterator[None]:
    """Undo what was done inside, the locks taken there included, if it raises.

    `name` may be used again in the same transaction: it then means the later one.
    """
    named = sql.Identifier(name)
    cursor.execute(sql.SQL("SAVEPOINT {}").format(named))
    try:
        yield
    except BaseException:
        if not cursor.connection.broken:
            cursor.execute(sql.SQL("ROLLBACK TO SAVEPOINT {}").format(named))
        raise
