"""Which generation of a read model is live, and how far it has come.

A generation is a schema of its own, `rm_queue_v1`, `rm_queue_v2`: rebuilt beside the
live one and made live in one transaction. Whoever reads asks again each time.
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
    """The live generation of a read model, and the one before, kept for a rollback."""

    schema: str
    shape: int
    previous_schema: str | None
    previous_shape: int | None


@dataclass(frozen=True, slots=True)
class AsOf:
    """What an answer knows: everything up to `position`, recorded at `time`."""

    position: int
    time: datetime | None


class NotBuilt(Exception):
    """The read model is not built yet, or not yet in today's shape."""


def live(cursor: Cursor[tuple[Any, ...]], model: ReadModel[Any]) -> Live:
    """Return the live generation of a read model, of today's shape; or `NotBuilt`."""
    found = find_live(cursor, model.name)
    if found is None or found.shape != model.shape:
        raise NotBuilt(f"the read model {model.name} is being built")
    return found


def find_live(cursor: Cursor[tuple[Any, ...]], name: str) -> Live | None:
    """Return the live generation of a read model, None where it was never built."""
    row = cursor.execute(_LIVE, (name,)).fetchone()
    return Live(*row) if row else None


def hold_live(
    cursor: Cursor[tuple[Any, ...]], name: str, *, alone: bool
) -> Live | None:
    """Return the live generation and keep it so until the transaction ends.

    Those who apply hold it together; who flips holds it `alone`.
    """
    mode = "FOR UPDATE" if alone else "FOR SHARE"
    row = cursor.execute(f"{_LIVE} {mode}", (name,)).fetchone()
    return Live(*row) if row else None


def as_of(cursor: Cursor[tuple[Any, ...]], schema: str) -> AsOf:
    """Return how far a generation has come."""
    row = cursor.execute(
        f"SELECT position, recorded_at FROM {schema}.tracking"  # noqa: S608 # our own names
    ).fetchone()
    return AsOf(*row) if row and row[0] else AsOf(0, None)
