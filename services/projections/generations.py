"""Which generation of a read model is live, and how far it has come.

A generation is a schema of its own, `rm_queue_v1`, `rm_queue_v2`: rebuilt beside the
live one and made live in one transaction. Whoever reads asks anew each time.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor

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
    """The read model was never built: its service has not started yet."""


def live(cursor: Cursor[tuple[Any, ...]], name: str) -> Live:
    """Return the live generation of a read model; raises `NotBuilt`."""
    row = cursor.execute(_LIVE, (name,)).fetchone()
    if row is None:
        raise NotBuilt(f"the read model {name} is not built yet")
    return Live(*row)


def as_of(cursor: Cursor[tuple[Any, ...]], schema: str) -> AsOf:
    """Return how far a generation has come."""
    row = cursor.execute(
        f"SELECT t.position, e.recorded_at FROM {schema}.tracking t"
        " LEFT JOIN log.events e ON e.notification_id = t.position"
    ).fetchone()
    return AsOf(*row) if row else AsOf(0, None)
