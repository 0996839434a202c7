"""Reads what another role owns as data alone: nothing of its owner's runs.

A role may put a view in place of its table, or a policy on it. Their functions run with
the rights of the reader: an administrator who lists what was parked would hand them
to somebody with the password of the projections.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Cursor

# Only as far as this PostgreSQL knows them: the first came with 16.4.
_SET = """
SELECT set_config(name, CASE name WHEN 'row_security' THEN %s ELSE %s END, true)
FROM pg_settings WHERE name IN ('restrict_nonsystem_relation_kind', 'row_security')
"""


@contextmanager
def only_tables(cursor: Cursor[Any]) -> Iterator[None]:
    """Refuse views, foreign tables and row-level policies within.

    An error ends the transaction, and the restriction with it.
    """
    cursor.execute(_SET, ("off", "view, foreign-table"))
    yield
    cursor.execute(_SET, ("on", ""))
