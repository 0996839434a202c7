"""Problems and changes, read from the log: they are few compared to incidents.

Lists use the two partial indexes of migration 0011: records that were opened, minus
those that ended if only open ones are requested.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from services.projections.generations import AsOf
from services.projections.log_queries import histories
from shared.database.cursors import Cursors
from shared.domain import change, problem
from shared.domain.change import Change
from shared.domain.identifiers import change_stream, problem_stream
from shared.domain.possible import while_possible
from shared.domain.problem import Problem
from shared.domain.record import record_of
from shared.eventlog.entry import Entry
from shared.eventlog.histories import readable
from shared.eventlog.log import EventLog

Record = TypeVar("Record", Problem, Change)

_LIST = """
SELECT originator_id FROM log.events AS begun
WHERE topic = '{begins}' AND originator_id COLLATE "C" < %(before)s
  AND notification_id <= %(upto)s
  AND (NOT %(only_open)s OR NOT EXISTS (
    SELECT FROM log.events AS over
    WHERE topic IN ('problem.resolved', 'change.implemented', 'change.cancelled')
      AND over.originator_id COLLATE "C" = begun.originator_id
      AND over.notification_id <= %(upto)s))
  AND (%(team)s::text IS NULL OR %(team)s = (
    SELECT log.said(given.state, 'team')
    FROM log.events AS given
    WHERE given.originator_id = begun.originator_id
      AND topic IN ('{begins}', '{assigned}') AND given.notification_id <= %(upto)s
    ORDER BY originator_version DESC LIMIT 1))
ORDER BY originator_id COLLATE "C" DESC LIMIT %(limit)s
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


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Up to `limit` records that came before a reference, open ones or all."""

    before: str | None
    only_open: bool
    team: str | None
    limit: int


@dataclass(frozen=True, slots=True)
class RecordPage(Generic[Record]):
    """A page of records, the newest first; None at the end of the list."""

    items: list[VersionedRecord[Record]]
    next_cursor: str | None


def one(
    log: EventLog, cursor: Cursors, kind: Kind[Record], ref: str, upto: AsOf
) -> VersionedRecord[Record] | None:
    """Return a record as it was known at `upto`, None if it was not."""
    streams = [kind.stream(ref)]
    past = histories(log, cursor, streams, upto.position)
    return next(iter(_several(kind, streams, past)), None)


def several(
    log: EventLog,
    cursor: Cursors,
    kind: Kind[Record],
    refs: Sequence[str],
    upto: AsOf,
) -> Mapping[str, VersionedRecord[Record]]:
    """Return those of these records that exist at `upto` and can be read."""
    streams = [kind.stream(ref) for ref in refs]
    past = readable(log, cursor, streams, upto.position) if streams else {}
    found = _several(kind, streams, past)
    return {each.record.ref: each for each in found}


def newest(
    log: EventLog, cursor: Cursors, kind: Kind[Record], upto: AsOf, query: RecordQuery
) -> RecordPage[Record]:
    """Return a page of the records that fit, without those that cannot be read."""
    given = {
        # Letters sort after digits: a text that begins with one is after every
        # reference.
        "before": kind.stream(query.before or "~"),
        "upto": upto.position,
        "only_open": query.only_open,
        "team": query.team,
        "limit": query.limit + 1,
    }
    sql = _LIST.format(begins=kind.begins, assigned=kind.assigned)
    streams = [stream for (stream,) in cursor.execute(sql, given).fetchall()]
    shown = list(dict.fromkeys(streams[: query.limit]))  # identified once more: once
    past = readable(log, cursor, shown, upto.position)
    more = len(streams) > query.limit
    last = record_of(shown[-1]) if more else None
    return RecordPage(_several(kind, shown, past), last)


def _several(
    kind: Kind[Record], streams: Sequence[str], past: Mapping[str, Sequence[Entry]]
) -> list[VersionedRecord[Record]]:
    records = (
        (
            while_possible(kind.replay, (entry.event for entry in past[stream])),
            past[stream][-1].version,
        )
        for stream in streams
        if stream in past
    )
    return [
        VersionedRecord(record, version)
        for record, version in records
        if record is not None
    ]
