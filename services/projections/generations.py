"""Finds the live generation of a read model, and its position.

A generation is a separate database schema, `rm_queue_v1`, `rm_queue_v2`: rebuilt next
to the live one and made live in one transaction. Every read looks it up again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor

from services.projections.read_model import ReadModel

_LIVE = """
SELECT schema_name, shape, previous_schema, previous_shape FROM rm.active
WHERE name = %s
"""


@dataclass(frozen=True, slots=True)
class Live:
    """The live generation of a read model, and the previous one for a rollback."""

    schema: str
    shape: int
    previous_schema: str | None
    previous_shape: int | None


@dataclass(frozen=True, slots=True)
class AsOf:
    """What an answer is based on: every event up to `position`, recorded at `time`."""

    position: int
    time: datetime | None


class NotBuilt(Exception):
    """The read model is not built yet, or not yet in the current version."""


def live(cursor: Cursor[tuple[Any, ...]], model: ReadModel[Any]) -> Live:
    """Return the live generation of a read model, or raise `NotBuilt`."""
    found = find_live(cursor, model.name)
    if found is None or found.shape != model.shape:
        raise NotBuilt(f"the read model {model.name} is being built")
    return found


def find_live(cursor: Cursor[tuple[Any, ...]], name: str) -> Live | None:
    """Return the live generation of a read model, None if it was never built."""
    row = cursor.execute(_LIVE, (name,)).fetchone()
    return Live(*row) if row else None


def hold_live(
    cursor: Cursor[tuple[Any, ...]], name: str, *, alone: bool
) -> Live | None:
    """Return the live generation, locked until the transaction ends.

    Readers that apply events share the lock; a flip takes it `alone`.
    """
    mode = "FOR UPDATE" if alone else "FOR SHARE"
    row = cursor.execute(f"{_LIVE} {mode}", (name,)).fetchone()
    return Live(*row) if row else None


def as_of(cursor: Cursor[tuple[Any, ...]], schema: str) -> AsOf:
    """Return the position of a generation."""
    row = cursor.execute(
        f"SELECT position, recorded_at FROM {schema}.tracking"  # noqa: S608 # our own names
    ).fetchone()
    return AsOf(*row) if row and row[0] else AsOf(0, None)
