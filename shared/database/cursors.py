"""The type of all cursors of the desk: they return rows as tuples."""

from typing import Any

from psycopg import Cursor

Cursors = Cursor[tuple[Any, ...]]
