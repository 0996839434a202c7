"""The timeline's table: writes lines, and reads them with personal text from the log.

`gaps` are the lines that it lacks: its reader has parked or skipped their events.

A line about a sent, confirmed or failed message only has its key; the message's own
fields are added from its request.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import orjson
from psycopg.types.json import Jsonb

from services.projections.log_queries import rows_at, streams_about
from services.projections.timeline.categories import PAUSED, Category, kinds_of
from services.projections.timeline.entry import TimelineEntry, project
from shared.database.cursors import Cursors
from shared.database.table import Table, columns_of
from shared.domain.events import EVENT_TYPES
from shared.eventlog.codec import personal_fields
from shared.eventlog.entry import Entry
from shared.eventlog.histories import Unreadable, each_event
from shared.eventlog.log import EventLog, Row

LINES = Table(
    "lines",
    columns=columns_of(TimelineEntry),
    key=("incident", "position"),
    repeated="is_ignored",
)


def tables(schema: str) -> Sequence[str]:
    """Return the statements that create the tables, to run before inserting lines."""
    return (LINES.create_statement(schema),)


def indexes(schema: str) -> Sequence[str]:
    """Return the statements that create the indexes, to run after inserting lines."""
    return (LINES.key_statement(schema), f"ANALYZE {schema}.{LINES.name}")


def columns(line: TimelineEntry) -> tuple[object, ...]:
    """Return the columns of a line."""
    return (*line[:-1], Jsonb(line.what, orjson.dumps))


def apply(cursor: Cursors, schema: str, entries: Sequence[Entry]) -> None:
    """Insert the lines of `entries`; existing ones do not change."""
    lines = filter(None, map(project, entries))
    LINES.write(cursor, schema, map(columns, lines))


def insert(
    cursor: Cursors, schema: str, timelines: Iterable[Sequence[TimelineEntry]]
) -> None:
    """Insert the timelines of incidents of which `schema` has no line."""
    LINES.copy(cursor, schema, map(columns, chain.from_iterable(timelines)))


UNREADABLE = "[unreadable]"
"""What a line shows instead of words whose key is missing at present."""
REQUESTED = "notification.requested"
CAUSE = ("cause_stream", "cause_version")
"""The fields that name the event which a message reports."""
ABOUT = ("kind", "person", "channel", "team_channel", *CAUSE)
WENT = frozenset(
    {
        "notification.throttled",
        "notification.sent",
        "notification.confirmed",
        "notification.delivered",
        "notification.failed",
    }
)
"""Events that only have the key of a message."""
_ASKED_FOR = """
SELECT what FROM {}.{}
WHERE incident = %s AND kind = %s AND what ->> 'key' = ANY(%s)
"""

Facts = Mapping[str, Any]
"""The fields of an event, as JSON."""
Messages = Mapping[str, Facts]
"""The fields of messages' requests, by key."""
Cause = tuple[str, int]
"""The stream and the version of the event that a message reports."""


def messages_of(requested: Iterable[Facts]) -> Messages:
    """Return the messages of these requests."""
    return {
        what["key"]: {name: what[name] for name in ABOUT if name in what}
        for what in requested
    }


def messages_in(
    cursor: Cursors, schema: str, found: Sequence[TimelineEntry]
) -> Messages:
    """Return the messages to which lines of one incident refer."""
    keys = [line.what["key"] for line in found if line.kind in WENT]
    if not keys:
        return {}
    asked = (found[0].incident, REQUESTED, keys)
    rows = cursor.execute(_ASKED_FOR.format(schema, LINES.name), asked)
    return messages_of(what for (what,) in rows)


def told_of(kind: str, what: Facts, messages: Messages) -> Facts:
    """Return an event's fields, with those of the message it refers to."""
    known = messages.get(what["key"]) if kind in WENT else None
    return what if known is None else {**known, **what}


_CAUSES = """
SELECT originator_id, originator_version, notification_id FROM log.events
JOIN unnest(%s::text[], %s::bigint[]) AS cause (stream, version)
  ON originator_id = cause.stream AND originator_version = cause.version
"""


def causes_of(cursor: Cursors, told: Iterable[Facts]) -> Mapping[Cause, int]:
    """Return the positions of the events that messages report."""
    named = {cause for what in told if (cause := cause_of(what))}
    if not named:
        return {}
    streams, versions = zip(*sorted(named), strict=True)
    rows = cursor.execute(_CAUSES, (list(streams), list(versions)))
    return {(stream, version): position for stream, version, position in rows}


def cause_of(what: Facts) -> Cause | None:
    """Return which event a message reports; None for what is not a message."""
    stream, version = (what.get(name) for name in CAUSE)
    return None if stream is None or version is None else (stream, version)


_PART = """
SELECT {names} FROM {schema}.{table}
WHERE incident = %(ref)s AND position > %(after)s AND position <= %(upto)s
  AND (%(kinds)s::text[] IS NULL OR kind = ANY(%(kinds)s))
  AND (%(asks)s::boolean IS NULL OR kind <> %(paused)s
    OR (what ->> 'reason' = 'user') = %(asks)s)
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
    `superseded_by`, reports its newer state. With a `category`, all others are.
    """

    after: int
    upto: int
    limit: int
    newest: bool = False
    superseded_by: int | None = None
    category: Category | None = None


def lines(cursor: Cursors, schema: str, ref: str, part: Part) -> list[TimelineEntry]:
    """Return a part of the timeline of an incident."""
    order = "DESC" if part.newest else "ASC"
    query = _PART.format(
        schema=schema, names=LINES.names, table=LINES.name, order=order
    )
    of_messages = [REQUESTED, *sorted(WENT)]
    asked = {
        "ref": ref,
        "of_messages": of_messages,
        "paused": PAUSED,
        "kinds": part.category and kinds_of(part.category),
        "asks": part.category and part.category == "messages",
        **part._asdict(),
    }
    return [TimelineEntry(*row) for row in cursor.execute(query, asked)]


def with_words(
    log: EventLog, cursor: Cursors, found: Sequence[TimelineEntry]
) -> list[TimelineEntry]:
    """Return lines with their personal text, as far as it can be decrypted.

    Words that cannot be read at present are `UNREADABLE`.
    """
    wanted = [line.position for line in found if _has_words(line.kind)]
    words = {
        row.position: _words_of(log, row, read)
        for row, read in each_event(log, rows_at(cursor, wanted))
    }
    return [
        line._replace(what={**line.what, **words.get(line.position, {})})
        for line in found
    ]


def _has_words(kind: str) -> bool:
    return kind in EVENT_TYPES and bool(personal_fields(EVENT_TYPES[kind]))


def _words_of(log: EventLog, row: Row, read: Entry | Unreadable) -> dict[str, Any]:
    if not isinstance(read, Unreadable):
        return _words(read.event.model_dump(mode="json"), read.type)
    return {
        name: UNREADABLE if isinstance(said, str) else said
        for entry in log.without_words([row]).entries
        for name, said in _words(entry.event.model_dump(mode="json"), row.type).items()
    }


def _words(event: Mapping[str, Any], kind: str) -> dict[str, Any]:
    names = personal_fields(EVENT_TYPES[kind])
    return {name: event[name] for name in names if event[name] is not None}


_MISSING = """
SELECT DISTINCT ON (position) position, error FROM (
    SELECT position, stream, error, 1 AS rank FROM {schema}.parked
    WHERE reader = %(reader)s
    UNION ALL
    SELECT position, stream, error, 2 FROM rm.skipped WHERE reader = %(reader)s
) AS missing
WHERE stream = ANY(%(streams)s) AND position > %(after)s AND position <= %(upto)s
  AND position NOT IN (  -- of an earlier version, which could read it
    SELECT position FROM {schema}.{table} WHERE incident = %(ref)s)
ORDER BY position {order}, rank LIMIT %(limit)s
"""


class Gap(NamedTuple):
    """An event without a line, and why."""

    row: Row
    why: str

    @property
    def position(self) -> int:
        """Where it is in the log."""
        return self.row.position


def gaps(
    cursor: Cursors, schema: str, reader: str, ref: str, part: Part
) -> Sequence[Gap]:
    """Return the events of a part of a timeline that have no line, in its order.

    Of a part that is limited to a category none: it is not known what they are about.
    """
    if part.category is not None:
        return ()
    order = "DESC" if part.newest else "ASC"
    asked = {
        "ref": ref,
        "reader": reader,
        "streams": list(streams_about(ref)),
        "after": part.after,
        "upto": part.upto,
        "limit": part.limit,
    }
    query = _MISSING.format(schema=schema, table=LINES.name, order=order)
    why: dict[int, str] = dict(cursor.execute(query, asked).fetchall())
    rows = sorted(rows_at(cursor, list(why)), key=attrgetter("position"))
    return [Gap(row, why[row.position]) for row in rows[:: -1 if part.newest else 1]]
