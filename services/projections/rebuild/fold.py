"""Splits the log into parts of whole records, and folds a part into a generation.

A record is an incident with all streams about it, or any other stream by itself. A part
is the work of one process.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count
from operator import attrgetter
from typing import Any, NamedTuple

from services.projections.generations import ReadModel
from services.projections.rebuild.plan import Chunk, FoldCount, fold_once
from shared.database.cursors import Cursors
from shared.domain.identifiers import about
from shared.eventlog.errors import away, is_unavailable
from shared.eventlog.log import EventLog, Row
from shared.eventlog.readers.position import Bookmark
from shared.eventlog.readers.transaction import BEHIND
from shared.observability.telemetry import wordless
from shared.vault.vault import key_ids

CHUNK_EVENTS = 10_000

LAST_NAME = "z" * 160
"""Sorts after every name a stream can have after its kind, in any collation."""

# Order and comparison are those of the index, in any collation that ignores a common
# prefix of two names.
_NEXT_STREAM = """
SELECT originator_id FROM log.events WHERE originator_id > %s
ORDER BY originator_id LIMIT 1
"""
_REACHED = """
SELECT min(substr(stream, length(kind) + 2)) FROM unnest(%s::text[]) AS kind, LATERAL (
    SELECT originator_id AS stream FROM log.events
    WHERE originator_id > kind || '-' || %s AND originator_id <= kind || '-' || %s
      AND split_part(originator_id, '-', 1) = kind
    ORDER BY originator_id, originator_version OFFSET %s LIMIT 1
) AS reached
"""


def chunks(cursor: Cursors, events: int) -> Iterator[Chunk]:
    """Yield parts of about `events` events of each kind; a record is never split."""
    numbers = count()
    found = list(_kinds(cursor))
    about_incidents = [kind for kind in found if about(f"{kind}-") is not None]
    alone = [[kind] for kind in found if kind not in about_incidents]
    for kinds in filter(None, [about_incidents, *alone]):
        after = ""
        while after != LAST_NAME:
            given = (kinds, after, LAST_NAME, events)
            row = cursor.execute(_REACHED, given).fetchone()
            last = (row and row[0]) or LAST_NAME
            yield Chunk(next(numbers), kinds, after, last)
            after = last


def _kinds(cursor: Cursors) -> Iterator[str]:
    """Yield the kinds of streams: the part of a name before the first dash."""
    stream = ""
    while row := cursor.execute(_NEXT_STREAM, (stream,)).fetchone():
        kind = str(row[0]).partition("-")[0]
        yield kind
        stream = f"{kind}-{LAST_NAME}"


# Command id and chain are not needed here, so they are not read.
STREAMS = """
SELECT event.* FROM unnest(%s::text[]) AS kind, LATERAL (
    SELECT notification_id, originator_id, originator_version, topic, state,
           recorded_at, NULL::uuid, ''::bytea
    FROM log.events
    WHERE originator_id > kind || '-' || %s AND originator_id <= kind || '-' || %s
      AND split_part(originator_id, '-', 1) = kind AND notification_id <= %s
) AS event
"""
_SKIPPED = "SELECT position FROM rm.skipped WHERE reader = %s"


class ParkedSet(NamedTuple):
    """Events of a stream that cannot be applied, and the error of the first."""

    rows: list[Row]
    error: str


class Logs(NamedTuple):
    """The log twice: one decrypts personal text, the other saves that time."""

    opening: EventLog
    sealed: EventLog


def fold(
    logs: Logs, model: ReadModel[Any], schema: str, chunk: Chunk, upto: int
) -> FoldCount:
    """Fold the records of `chunk` up to a position into `schema`, all and once.

    No transaction is open while it folds: the database would end an idle one.
    """
    rows = _rows(logs.opening, model, chunk, upto)
    logs.opening.vault.learn(
        key_ids(row.state for row in rows if row.type in model.opens)
    )
    model = model.bound(logs.opening.vault)
    states: list[Any] = []
    parked: list[ParkedSet] = []
    for record in _records(rows):
        state, poison = _folded(logs, model, record)
        if state is not None:
            states.append(state)
        parked += poison
    done = FoldCount(len(rows), len(parked))
    with logs.opening.transaction() as cursor:
        if (before := fold_once(cursor, schema, chunk, done)) is not None:
            return before
        model.insert(cursor, schema, states)
        _park(cursor, Bookmark(schema, model.name), parked)
    return done


def _rows(
    log: EventLog, model: ReadModel[Any], chunk: Chunk, upto: int
) -> Sequence[Row]:
    """Return the events of a chunk without those that an administrator skipped."""
    given = (list(chunk.kinds), chunk.after, chunk.last, upto)
    with log.transaction() as cursor:
        skipped = set(cursor.execute(_SKIPPED, (model.name,)).fetchall())
        stored = cursor.execute(STREAMS, given, binary=True).fetchall()
    return [
        row for row in (Row(*each) for each in stored) if (row.position,) not in skipped
    ]


def _records(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Yield the events of each record in the order of the log."""
    records: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        records[about(row.stream) or row.stream].append(row)
    for record in records.values():
        record.sort(key=attrgetter("position"))
        yield record


def _folded(
    logs: Logs, model: ReadModel[Any], rows: Sequence[Row]
) -> tuple[Any, Sequence[ParkedSet]]:
    """Return the state of a record, and the events that cannot be applied."""
    state: Any = None
    poison: dict[str, ParkedSet] = {}
    for row in rows:
        if row.stream in poison:
            poison[row.stream].rows.append(row)
            continue
        log = logs.opening if row.type in model.opens else logs.sealed
        try:
            state = model.step(state, log.entry(row))
        except Exception as error:
            if is_unavailable(error):
                raise away(error) from error
            # like the reader: park it and continue
            poison[row.stream] = ParkedSet([row], wordless(error))
    return state, tuple(poison.values())


def _park(cursor: Cursors, bookmark: Bookmark, parked: Sequence[ParkedSet]) -> None:
    for poison in parked:
        first, *later = poison.rows
        bookmark.park(cursor, [first], poison.error)
        if later:
            bookmark.park(cursor, later, BEHIND)
