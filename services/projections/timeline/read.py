"""Reads the lines of an incident, and its personal words from the log."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Cursor

from services.projections.log_rows import rows_at
from services.projections.timeline.line import Line
from services.projections.timeline.store import LINES
from shared.codec import personal_fields
from shared.event_log import EventLog
from shared.events import EVENT_TYPES

_LINES = """
SELECT incident, position, version, at, recorded_at, actor, kind, what
FROM {}.{} WHERE incident = %s AND position > %s AND position <= %s
ORDER BY position {} LIMIT %s
"""


def lines(
    cursor: Cursor[tuple[Any, ...]],
    schema: str,
    ref: str,
    between: tuple[int, int],
    limit: int,
    *,
    newest: bool = False,
) -> list[Line]:
    """Return up to `limit` lines after the first position and up to the second.

    Oldest first, or `newest`.
    """
    order = "DESC" if newest else "ASC"
    query = _LINES.format(schema, LINES, order)
    rows = cursor.execute(query, (ref, *between, limit))
    return [Line(*row) for row in rows]


def with_words(
    log: EventLog, cursor: Cursor[tuple[Any, ...]], found: Sequence[Line]
) -> list[Line]:
    """Return lines whose `what` has the personal words too, as far as they open."""
    wanted = [line.position for line in found if _has_words(line.kind)]
    words = {
        entry.position: _words(entry.event.model_dump(mode="json"), entry.type)
        for entry in log.entries(rows_at(cursor, wanted))
    }
    return [
        line._replace(what={**line.what, **words.get(line.position, {})})
        for line in found
    ]


def _has_words(kind: str) -> bool:
    return kind in EVENT_TYPES and bool(personal_fields(EVENT_TYPES[kind]))


def _words(event: Mapping[str, Any], kind: str) -> dict[str, Any]:
    names = personal_fields(EVENT_TYPES[kind])
    return {name: event[name] for name in names if event[name] is not None}
