"""Reads the lines of an incident, and its personal words from the log."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import Cursor

from services.projections.log_rows import rows_at
from services.projections.timeline.line import Line
from services.projections.timeline.messages import REQUESTED, WENT
from services.projections.timeline.store import LINES
from shared.domain.events import EVENT_TYPES
from shared.eventlog.codec import personal_fields
from shared.eventlog.log import EventLog

_LINES = """
SELECT incident, position, version, at, recorded_at, actor, kind, what
FROM {schema}.{table}
WHERE incident = %(ref)s AND position > %(after)s AND position <= %(upto)s
  AND (%(superseded_by)s::bigint IS NULL OR kind <> ALL(%(of_messages)s)
    OR position IN (
      SELECT max(position) FROM {schema}.{table}
      WHERE incident = %(ref)s AND position <= %(superseded_by)s
        AND kind = ANY(%(of_messages)s)
      GROUP BY what ->> 'key'))
ORDER BY position {order} LIMIT %(limit)s
"""


class Part(NamedTuple):
    """Up to `limit` lines after a position and up to one, oldest first or `newest`.

    A line about a message is left out if a later one, up to the position
    `superseded_by`, says how much further it has come.
    """

    after: int
    upto: int
    limit: int
    newest: bool = False
    superseded_by: int | None = None


def lines(
    cursor: Cursor[tuple[Any, ...]], schema: str, ref: str, part: Part
) -> list[Line]:
    """Return a part of what is told of an incident."""
    order = "DESC" if part.newest else "ASC"
    query = _LINES.format(schema=schema, table=LINES, order=order)
    of_messages = [REQUESTED, *sorted(WENT)]
    asked = {"ref": ref, "of_messages": of_messages, **part._asdict()}
    return [Line(*row) for row in cursor.execute(query, asked)]


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
