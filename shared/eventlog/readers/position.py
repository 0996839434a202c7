"""A reader's position in the log and its parked events, stored with its own tables.

Both tables are in the schema of the tables that the reader changes, so one transaction
updates the position and the reader's tables together. `chain` is the hash of the event
at `position`: a log without that event is another log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from psycopg.errors import UndefinedTable

from shared.database.copied_rows import ReplacedTable, copied_rows
from shared.database.cursors import Cursors
from shared.eventlog.entry import GENESIS
from shared.eventlog.log import Row

ERROR_MAX = 500
"""How many characters of a parked event's error are stored."""

_TABLES = """
CREATE TABLE {schema}.tracking (
    reader         text PRIMARY KEY,
    position       bigint NOT NULL,                     -- of the last event passed
    chain          bytea NOT NULL,                      -- hash of that event
    recorded_at    timestamptz NOT NULL,                -- when that event was recorded
    parked_streams int NOT NULL DEFAULT 0
);

CREATE TABLE {schema}.parked (
    reader    text NOT NULL,
    position  bigint NOT NULL,
    stream    text NOT NULL,
    error     text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (reader, position)
);
CREATE INDEX parked_by_stream ON {schema}.parked (reader, stream, position);
"""
# A role without the right to read a schema does not see its readers.
_SCHEMAS = """
SELECT nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE relname = 'tracking' AND relkind IN ('r', 'v', 'm', 'f', 'p')
  AND nspname ~ '^(intake|sla|escalation|rm_[a-z_]+_v[0-9]+)$'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
ORDER BY nspname
"""
_READERS = {"reader": "text", "position": "int8", "chain": "bytea"}
_START = """
INSERT INTO {schema}.tracking (reader, position, chain, recorded_at)
VALUES (%s, 0, %s, %s) ON CONFLICT DO NOTHING
"""
_READ = """
SELECT position, chain, recorded_at, parked_streams FROM {schema}.tracking
WHERE reader = %s
"""
# Messages from NATS are not trusted: only the log itself proves what it contains.
_MOVE = """
UPDATE {schema}.tracking
SET position = %(position)s, chain = %(chain)s, recorded_at = %(recorded_at)s
WHERE reader = %(reader)s AND position = %(before)s AND chain = %(before_chain)s
  AND EXISTS (SELECT FROM log.events
              WHERE notification_id = %(position)s AND chain = %(chain)s)
RETURNING position, chain, recorded_at, parked_streams
"""
_PARKED_AMONG = """
SELECT DISTINCT stream FROM {schema}.parked WHERE reader = %s AND stream = ANY(%s)
"""
_PARK = """
INSERT INTO {schema}.parked (reader, position, stream, error)
SELECT %s, position, stream, %s FROM unnest(%s::bigint[], %s::text[])
     AS row (position, stream)
"""
_COUNT = """
UPDATE {schema}.tracking SET parked_streams = (
    SELECT count(DISTINCT stream) FROM {schema}.parked p WHERE p.reader = %s)
WHERE reader = %s
RETURNING position, chain, recorded_at, parked_streams
"""


def tracking_tables(schema: str) -> str:
    """Return the statements that create both tables in `schema`, a plain name."""
    return _TABLES.format(schema=schema)


@dataclass(frozen=True, slots=True)
class Tracked:
    """The tracked position of a reader; 0 is the beginning."""

    position: int
    chain: bytes
    recorded_at: datetime
    parked_streams: int


BEGINNING = Tracked(0, GENESIS, datetime(1970, 1, 1, tzinfo=UTC), 0)


class Overtaken(Exception):
    """Another process moved the tracked position: that process applies events."""


class MissingEvent(Exception):
    """The log does not contain the event that was to be applied."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """The tracked position of `reader`, with its tables in `schema`.

    Later events of a stream wait behind its parked event. `beside` are kinds of
    streams, such as `incident` and `sla`, whose events also wait for each other if they
    are about the same incident: those on which a service bases its decisions together.
    Its own streams are not among them: its decisions are already on their way.
    """

    schema: str
    reader: str
    beside: tuple[str, ...] = ()

    def together(self, stream: str) -> Sequence[str]:
        """Return the streams whose events wait for each other, `stream` included."""
        kind, _, ref = stream.partition("-")
        if kind in self.beside:
            return [f"{each}-{ref}" for each in self.beside]
        return [stream]

    def start(self, cursor: Cursors) -> Tracked:
        """Return the position of the reader; a new reader starts at the beginning."""
        row = cursor.execute(self._sql(_READ), (self.reader,)).fetchone()
        if row is None:
            values = (self.reader, GENESIS, BEGINNING.recorded_at)
            cursor.execute(self._sql(_START), values)
            return BEGINNING
        return _tracked(row)

    def move(self, cursor: Cursors, before: Tracked, last: Row) -> Tracked:
        """Move from `before` past `last`, which the log must contain.

        Must be the first statement of its transaction: a second process waits here, and
        then sees that the position has moved. Raises `Overtaken` if the reader is no
        longer at `before`, `MissingEvent` if the log does not contain `last`.
        """
        values = {
            "position": last.position,
            "chain": last.chain,
            "recorded_at": last.recorded_at,
            "reader": self.reader,
            "before": before.position,
            "before_chain": before.chain,
        }
        row = cursor.execute(self._sql(_MOVE), values).fetchone()
        if row is not None:
            return _tracked(row)
        held = self.hold(cursor)
        if held is None or (held.position, held.chain) != (
            before.position,
            before.chain,
        ):
            raise Overtaken(f"{self.reader} is no longer at {before.position}")
        raise MissingEvent(f"the log does not hold the event at {last.position}")

    def hold(self, cursor: Cursors) -> Tracked | None:
        """Return the reader's position, and lock it until the transaction ends."""
        query = self._sql(_READ) + " FOR UPDATE"
        row = cursor.execute(query, (self.reader,)).fetchone()
        return _tracked(row) if row else None

    def parked_among(self, cursor: Cursors, streams: Sequence[str]) -> set[str]:
        """Return those of `streams` whose events wait behind parked ones."""
        together = {stream: set(self.together(stream)) for stream in streams}
        values = (self.reader, sorted(set[str]().union(*together.values())))
        rows = cursor.execute(self._sql(_PARKED_AMONG), values).fetchall()
        parked = {stream for (stream,) in rows}
        return {stream for stream in streams if together[stream] & parked}

    def park(self, cursor: Cursors, rows: Sequence[Row], error: str) -> Tracked:
        """Park events, and update the number of parked streams."""
        values = (
            self.reader,
            error[:ERROR_MAX],
            [row.position for row in rows],
            [row.stream for row in rows],
        )
        cursor.execute(self._sql(_PARK), values)
        return self.count(cursor)

    def count(self, cursor: Cursors) -> Tracked:
        """Update the number of parked streams."""
        query = self._sql(_COUNT)
        row = cursor.execute(query, (self.reader, self.reader)).fetchone()
        if row is None:
            raise Overtaken(f"{self.reader} is no longer tracked")
        return _tracked(row)

    def _sql(self, query: str) -> str:
        return query.format(schema=self.schema)


class StoredPosition(NamedTuple):
    """A reader, and the last event that it passed, by position and chain hash."""

    bookmark: Bookmark
    position: int
    chain: bytes


class StoredPositions(NamedTuple):
    """What the readers remember; `replaced` says by schema what cannot be read."""

    found: Sequence[StoredPosition]
    replaced: Mapping[str, str]


def stored_positions(cursor: Cursors) -> StoredPositions:
    """Return those of all readers, one for each generation, running nothing of theirs.

    One whose table has become something else keeps nobody from the others.
    """
    found: list[StoredPosition] = []
    replaced: dict[str, str] = {}
    for (schema,) in cursor.execute(_SCHEMAS).fetchall():
        try:
            with cursor.connection.transaction():
                rows = sorted(copied_rows(cursor, schema, "tracking", _READERS))
        except ReplacedTable as error:
            replaced[schema] = str(error)
            continue
        except UndefinedTable:  # a generation that was dropped just now
            continue
        found += (
            StoredPosition(Bookmark(schema, reader), position, bytes(chain))
            for reader, position, chain in rows
        )
    return StoredPositions(found, replaced)


def _tracked(row: tuple[Any, ...]) -> Tracked:
    return Tracked(row[0], bytes(row[1]), row[2], row[3])
