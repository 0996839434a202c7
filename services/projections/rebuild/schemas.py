"""Creates, finds and drops generations, and makes one of them live."""

import re
from datetime import datetime
from typing import Any

from services.projections.read_model import Cursors, ReadModel
from shared.eventlog.readers.position import Bookmark, tracking_tables

_NUMBERED = re.compile(r"_v(\d+)$")
_ALL = """
SELECT nspname FROM pg_namespace WHERE nspname ~ ('^rm_' || %s || '_v[0-9]+$')
"""
_FLIP = """
INSERT INTO rm.active AS a (name, schema_name, shape, flipped_at)
VALUES (%s, %s, %s, %s)
ON CONFLICT (name) DO UPDATE SET
    previous_schema = a.schema_name, previous_shape = a.shape,
    schema_name = excluded.schema_name, shape = excluded.shape,
    flipped_at = excluded.flipped_at
"""
_FORGET_PREVIOUS = """
UPDATE rm.active SET previous_schema = NULL, previous_shape = NULL WHERE name = %s
"""


def generations(cursor: Cursors, name: str) -> list[str]:
    """Return the schemas of all existing generations, finished or not."""
    rows = cursor.execute(_ALL, (name,)).fetchall()
    return sorted((schema for (schema,) in rows), key=_number)


def create(cursor: Cursors, model: ReadModel[Any]) -> str:
    """Create the tables of the next generation, without indexes; return its schema.

    Its number was never used before: late writes of a killed rebuild find no table.
    """
    taken = generations(cursor, model.name)
    number = _number(taken[-1]) + 1 if taken else 1
    cursor.execute("SELECT rm.make_generation(%s, %s)", (model.name, number))
    schema = f"rm_{model.name}_v{number}"
    for statement in (tracking_tables(schema), *model.tables(schema)):
        cursor.execute(statement)
    Bookmark(schema, model.name).start(cursor)
    cursor.execute(
        f"GRANT SELECT ON {schema}.tracking, {schema}.parked"
        " TO desk_auditor, desk_admin"
    )
    return schema


def drop_others(cursor: Cursors, name: str, keep: set[str | None]) -> list[str]:
    """Drop all generations but those in `keep`; return what was dropped."""
    strays = [schema for schema in generations(cursor, name) if schema not in keep]
    for schema in strays:
        cursor.execute("SELECT rm.drop_generation(%s)", (schema,))
    return strays


def flip(cursor: Cursors, model: ReadModel[Any], schema: str, now: datetime) -> None:
    """Make `schema` the live generation and keep the previous one for a rollback."""
    cursor.execute(_FLIP, (model.name, schema, model.shape, now))


def forget_previous(cursor: Cursors, model: ReadModel[Any]) -> None:
    """Keep no generation for a rollback."""
    cursor.execute(_FORGET_PREVIOUS, (model.name,))


def _number(schema: str) -> int:
    found = _NUMBERED.search(schema)
    return int(found[1]) if found else 0
