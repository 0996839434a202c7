"""From an instant to a position: what was known then is a prefix of the log.

`recorded_at` never decreases with the position, so the last event up to an instant is
found by halving, in about twenty look-ups for a million events.
"""

from datetime import datetime
from typing import Any

from psycopg import Cursor

from services.projections.generations import AsOf
from shared.eventlog.recorder import Head, read_head

_AT = "SELECT recorded_at FROM log.events WHERE notification_id = %s"


def known_at(cursor: Cursor[tuple[Any, ...]], instant: datetime | None) -> AsOf:
    """Return the last event recorded up to `instant`, or the head without one."""
    head = read_head(cursor)
    if instant is None or head.recorded_at <= instant:
        return _as_of(head)
    low, high = 0, head.position  # `low` was known then, `high` was not
    while high - low > 1:
        middle = (low + high) // 2
        if _recorded_at(cursor, middle) <= instant:
            low = middle
        else:
            high = middle
    return AsOf(low, _recorded_at(cursor, low) if low else None)


def _as_of(head: Head) -> AsOf:
    return AsOf(head.position, head.recorded_at if head.position else None)


def _recorded_at(cursor: Cursor[tuple[Any, ...]], position: int) -> datetime:
    row = cursor.execute(_AT, (position,)).fetchone()
    if row is None:
        raise LookupError(f"the log has no position {position}: run audit verify")
    recorded_at: datetime = row[0]
    return recorded_at
