"""The timeline's table, and how lines get into it."""

from collections.abc import Sequence
from typing import Any

import orjson
from psycopg import Cursor
from psycopg.types.json import Jsonb

from services.projections.timeline.line import Line, project
from shared.eventlog.entry import Entry

LINES = "lines"
TYPES = ("text", "int8", "int8", "timestamptz", "timestamptz", "text", "text", "jsonb")
_INSERT = """
INSERT INTO {}.lines SELECT * FROM unnest(
    %b::text[], %b::bigint[], %b::bigint[], %b::timestamptz[], %b::timestamptz[],
    %b::text[], %b::text[], %b::jsonb[])
ON CONFLICT (incident, position) DO NOTHING
"""


def tables(schema: str) -> Sequence[str]:
    """Return the statements that make the tables, to be run before lines come in."""
    return (
        (
            f'CREATE TABLE {schema}.{LINES} (incident text COLLATE "C" NOT NULL,'
            " position bigint NOT NULL, version bigint NOT NULL,"
            " at timestamptz NOT NULL, recorded_at timestamptz NOT NULL,"
            " actor text NOT NULL, kind text NOT NULL, what jsonb NOT NULL)"
        ),
    )


def indexes(schema: str) -> Sequence[str]:
    """Return the statements that make the indexes, to be run when lines are in."""
    return (f"ALTER TABLE {schema}.{LINES} ADD PRIMARY KEY (incident, position)",)


def columns(line: Line) -> tuple[object, ...]:
    """Return a line as it is stored."""
    return (*line[:-1], Jsonb(line.what, orjson.dumps))


def apply(
    cursor: Cursor[tuple[Any, ...]], schema: str, entries: Sequence[Entry]
) -> None:
    """Add the lines of `entries`; those already there stay as they are."""
    lines = [line for entry in entries if (line := project(entry))]
    if lines:
        arrays = [list(values) for values in zip(*map(columns, lines), strict=True)]
        cursor.execute(_INSERT.format(schema), arrays)
