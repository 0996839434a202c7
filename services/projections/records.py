"""Problems and changes, read from the log: they are few compared to incidents.

Lists use the two partial indexes of migration 0011: records that were opened, minus
those that ended if only open ones are requested.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from psycopg import Cursor

from services.projections.generations import AsOf
from shared.domain import change, problem
from shared.domain.change import Change
from shared.domain.identifiers import change_stream, problem_stream
from shared.domain.problem import Problem
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog

Record = TypeVar("Record", Problem, Change)
Cursors = Cursor[tuple[Any, ...]]

_LIST = """
SELECT originator_id FROM log.events AS begun
WHERE topic = '{begins}' AND originator_id COLLATE "C" < %s AND notification_id <= %s
  AND (NOT %s OR NOT EXISTS (
    SELECT FROM log.events AS over
    WHERE topic IN ('problem.resolved', 'change.implemented', 'change.cancelled')
      AND over.originator_id COLLATE "C" = begun.originator_id
      AND over.notification_id <= %s))
  AND (%s::text IS NULL OR %s = (
    SELECT convert_from(given.state, 'UTF8')::jsonb ->> 'team'
    FROM log.events AS given
    WHERE given.originator_id = begun.originator_id
      AND topic IN ('{begins}', '{assigned}') AND given.notification_id <= %s
    ORDER BY originator_version DESC LIMIT 1))
ORDER BY originator_id COLLATE "C" DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Kind(Generic[Record]):
    """A kind of record: its streams, and how their events are replayed.

    `begins` is its first event, `assigned` the one that assigns it to another team.
    """

    name: str
    begins: str
    assigned: str
    stream: Callable[[str], str]
    replay: Callable[[Any], Record | None]


PROBLEMS = Kind(
    "problem",
    "problem.identified",
    "problem.assigned",
    problem_stream,
    problem.replay,
)
CHANGES = Kind(
    "change",
    "change.requested",
    "change.assigned",
    change_stream,
    change.replay,
)


@dataclass(frozen=True, slots=True)
class VersionedRecord(Generic[Record]):
    """A record at a version of its stream."""

    record: Record
    version: int


def one(
    log: EventLog, cursor: Cursors, kind: Kind[Record], ref: str, upto: AsOf
) -> VersionedRecord[Record] | None:
    """Return a record as it was known at `upto`, None if it was not."""
    return _several(log, cursor, kind, [kind.stream(ref)], upto).get(kind.stream(ref))


def newest(  # noqa: PLR0913 # the parameters of a page
    log: EventLog,
    cursor: Cursors,
    kind: Kind[Record],
    upto: AsOf,
    *,
    before: str | None,
    only_open: bool,
    team: str | None,
    limit: int,
) -> list[VersionedRecord[Record]]:
    """Return up to `limit` records, the newest first, that came before `before`."""
    # Letters sort after digits: a text that begins with one is after every reference.
    edge = kind.stream(before or "~")
    position = upto.position
    given = (edge, position, only_open, position, team, team, position, limit)
    sql = _LIST.format(begins=kind.begins, assigned=kind.assigned)
    rows = cursor.execute(sql, given).fetchall()
    streams = [stream for (stream,) in rows]
    found = _several(log, cursor, kind, streams, upto)
    return [found[stream] for stream in streams]


def _several(
    log: EventLog,
    cursor: Cursors,
    kind: Kind[Record],
    streams: Sequence[str],
    upto: AsOf,
) -> Mapping[str, VersionedRecord[Record]]:
    histories: dict[str, list[Entry]] = {}
    for entry in log.histories(cursor, streams, upto.position):
        histories.setdefault(entry.stream, []).append(entry)
    found = {}
    for stream, past in histories.items():
        record = kind.replay(entry.event for entry in past)
        if record is not None:
            found[stream] = VersionedRecord(record, past[-1].version)
    return found
