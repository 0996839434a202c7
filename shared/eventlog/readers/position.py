"""A reader's position in the log and its parked events, stored with its own tables.

Both tables are in the schema of the tables that the reader changes, so one transaction
updates the position and the reader's tables together. `chain` is the hash of the event
at `position`: a log without that event is another log.

An event that cannot be applied is parked, with the later ones of its stream, so that it
does not block other streams.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from psycopg import Cursor
from psycopg.errors import UndefinedTable

from shared.database.copied_rows import ReplacedTable, copied_rows
from shared.eventlog.entry import GENESIS, Entry
from shared.eventlog.errors import StaleVersion, away, is_cancelled, is_unavailable
from shared.eventlog.log import EventLog, Row
from shared.observability.telemetry import wordless

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

Cursors = Cursor[tuple[Any, ...]]


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


Apply = Callable[[Cursor[tuple[Any, ...]], Sequence[Entry]], None]
"""Applies entries to tables, in order, inside the caller's transaction.

It may be called again with the same entries after a rollback. It locks its own rows
first, sorted by key, and appends to the log last.
"""

SkipAgain = Callable[[Cursor[tuple[Any, ...]], Row], bool]
"""Returns whether an event that cannot be applied was skipped before; if so, skips it.

The tables of a reader may be lost, but not what an administrator decided.
"""

BEHIND = "parked behind an earlier event of its stream"


class PoisonEvent(Exception):
    """One of these events cannot be applied: try smaller batches to find it."""


def apply_rows(  # noqa: PLR0913 # the last two have a default for good
    log: EventLog,
    bookmark: Bookmark,
    apply: Apply,
    before: Tracked,
    rows: Sequence[Row],
    *,
    skip_again: SkipAgain = lambda _cursor, _row: False,
    park_cancelled: bool = False,
) -> Tracked:
    """Apply `rows`, which follow `before`, and move past them; return the position.

    All or nothing. Raises `Overtaken` if another process was first, `MissingEvent` if
    the log does not contain them, `PoisonEvent` if several rows include one that must
    be parked (a single row is parked, unless `skip_again` does that), and
    `Unavailable`. `park_cancelled`: also park a single event if PostgreSQL cancels one
    of its statements. Blocks.
    """
    checked = partial(_apply, apply, park_cancelled=park_cancelled)
    try:
        return _pass(log, bookmark, checked, before, rows)
    except PoisonEvent as poison:
        if len(rows) > 1:
            raise
        why = poison.__cause__ or poison
    with log.transaction() as cursor:
        after, parked = _move(bookmark, cursor, before, rows)
        if parked:
            return after
        if not is_cancelled(why):
            # It may have been the session: park only what fails in another one, too.
            try:
                with log.savepoint(cursor, "alone"):
                    checked(cursor, _read(log, rows))
            except PoisonEvent as again:
                why = again.__cause__ or again
            else:
                return after
        if _skipped_again(log, cursor, skip_again, rows[0]):
            return after
        return bookmark.park(cursor, rows, wordless(why))


def _pass(
    log: EventLog,
    bookmark: Bookmark,
    apply: Apply,
    before: Tracked,
    rows: Sequence[Row],
) -> Tracked:
    """Apply `rows` in one transaction; raise `PoisonEvent` if one cannot be applied."""
    entries = _read(log, rows)
    with log.transaction() as cursor:
        after, parked = _move(bookmark, cursor, before, rows)
        if ready := [entry for entry in entries if entry.stream not in parked]:
            apply(cursor, ready)
    return after


def _move(
    bookmark: Bookmark,
    cursor: Cursor[tuple[Any, ...]],
    before: Tracked,
    rows: Sequence[Row],
) -> tuple[Tracked, set[str]]:
    """Move past `rows`; return the position, and whose rows were parked for that."""
    after = bookmark.move(cursor, before, rows[-1])
    if not after.parked_streams:
        return after, set()
    parked = bookmark.parked_among(cursor, sorted({row.stream for row in rows}))
    if behind := [row for row in rows if row.stream in parked]:
        after = bookmark.park(cursor, behind, BEHIND)
    return after, parked


def _skipped_again(
    log: EventLog, cursor: Cursor[tuple[Any, ...]], skip_again: SkipAgain, row: Row
) -> bool:
    """Skip an event within a savepoint; False if that fails, too: it is parked then."""
    try:
        with log.savepoint(cursor, "skip"):
            return skip_again(cursor, row)
    except (StaleVersion, Overtaken):
        raise
    except Exception as error:
        if is_unavailable(error):
            raise away(error) from error
        return False


def _read(log: EventLog, rows: Sequence[Row]) -> Sequence[Entry]:
    """Return the rows as entries; raise `PoisonEvent` if one cannot be read."""
    try:
        return log.entries(rows)
    except Exception as error:
        if is_unavailable(error):
            raise away(error) from error
        raise PoisonEvent from error


def _apply(
    apply: Apply,
    cursor: Cursor[tuple[Any, ...]],
    entries: Sequence[Entry],
    *,
    park_cancelled: bool,
) -> None:
    """Apply entries; raise `PoisonEvent` if one of them cannot be applied."""
    try:
        apply(cursor, entries)
    except (StaleVersion, Overtaken, MissingEvent):
        raise  # not the event's fault: a retry or another process will succeed
    except Exception as error:
        may_park = park_cancelled and is_cancelled(error)
        if is_unavailable(error) and not may_park:
            raise away(error) from error
        raise PoisonEvent from error
