"""The timeline's table: writes lines, and reads them with personal text from the log.

A line about a sent, confirmed or failed message only has its key; the message's own
fields are added from its request.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from psycopg import Cursor
from psycopg.types.json import Jsonb

from services.projections.log_queries import rows_at
from services.projections.timeline.entry import TimelineEntry, project
from shared.domain.events import EVENT_TYPES
from shared.eventlog.codec import personal_fields
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog

LINES = "lines"
TYPES = ("text", "int8", "int8", "timestamptz", "timestamptz", "text", "text", "jsonb")
_INSERT = """
INSERT INTO {}.lines SELECT * FROM unnest(
    %b::text[], %b::bigint[], %b::bigint[], %b::timestamptz[], %b::timestamptz[],
    %b::text[], %b::text[], %b::jsonb[])
ON CONFLICT (incident, position) DO NOTHING
"""


def tables(schema: str) -> Sequence[str]:
    """Return the statements that create the tables, to run before inserting lines."""
    return (
        (
            f'CREATE TABLE {schema}.{LINES} (incident text COLLATE "C" NOT NULL,'
            " position bigint NOT NULL, version bigint NOT NULL,"
            " at timestamptz NOT NULL, recorded_at timestamptz NOT NULL,"
            " actor text NOT NULL, kind text NOT NULL, what jsonb NOT NULL)"
        ),
    )


def indexes(schema: str) -> Sequence[str]:
    """Return the statements that create the indexes, to run after inserting lines."""
    return (f"ALTER TABLE {schema}.{LINES} ADD PRIMARY KEY (incident, position)",)


def columns(line: TimelineEntry) -> tuple[object, ...]:
    """Return the columns of a line."""
    return (*line[:-1], Jsonb(line.what, orjson.dumps))


def apply(
    cursor: Cursor[tuple[Any, ...]], schema: str, entries: Sequence[Entry]
) -> None:
    """Insert the lines of `entries`; existing ones do not change."""
    lines = [line for entry in entries if (line := project(entry))]
    if lines:
        arrays = [list(values) for values in zip(*map(columns, lines), strict=True)]
        cursor.execute(_INSERT.format(schema), arrays)


REQUESTED = "notification.requested"
ABOUT = ("kind", "person", "channel")
WENT = frozenset({"notification.sent", "notification.confirmed", "notification.failed"})
"""Events that only have the key of a message."""
_ASKED_FOR = """
SELECT what FROM {}.{}
WHERE incident = %s AND kind = %s AND what ->> 'key' = ANY(%s)
"""

Messages = Mapping[str, Mapping[str, Any]]
"""The fields of messages' requests, by key."""


def messages_of(requested: Iterable[Mapping[str, Any]]) -> Messages:
    """Return the messages of these requests."""
    return {
        what["key"]: {name: what[name] for name in ABOUT if name in what}
        for what in requested
    }


def messages_in(
    cursor: Cursor[tuple[Any, ...]], schema: str, found: Sequence[TimelineEntry]
) -> Messages:
    """Return the messages to which lines of one incident refer."""
    keys = [line.what["key"] for line in found if line.kind in WENT]
    if not keys:
        return {}
    asked = (found[0].incident, REQUESTED, keys)
    rows = cursor.execute(_ASKED_FOR.format(schema, LINES), asked)
    return messages_of(what for (what,) in rows)


def told_of(
    kind: str, what: Mapping[str, Any], messages: Messages
) -> Mapping[str, Any]:
    """Return an event's fields, with those of the message it refers to."""
    known = messages.get(what["key"]) if kind in WENT else None
    return what if known is None else {**known, **what}


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
    """Up to `limit` lines between two positions, oldest first or `newest` first.

    A line about a message is left out if a later one, up to the position
    `superseded_by`, reports its newer state.
    """

    after: int
    upto: int
    limit: int
    newest: bool = False
    superseded_by: int | None = None


def lines(
    cursor: Cursor[tuple[Any, ...]], schema: str, ref: str, part: Part
) -> list[TimelineEntry]:
    """Return a part of the timeline of an incident."""
    order = "DESC" if part.newest else "ASC"
    query = _LINES.format(schema=schema, table=LINES, order=order)
    of_messages = [REQUESTED, *sorted(WENT)]
    asked = {"ref": ref, "of_messages": of_messages, **part._asdict()}
    return [TimelineEntry(*row) for row in cursor.execute(query, asked)]


def with_words(
    log: EventLog, cursor: Cursor[tuple[Any, ...]], found: Sequence[TimelineEntry]
) -> list[TimelineEntry]:
    """Return lines with their personal text, as far as it can be decrypted."""
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
