"""External records, read from the log: what other systems told, and their links.

A list uses the index of migration 0091: the first event of each record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.projections.generations import AsOf
from shared.database.cursors import Cursors
from shared.domain.external_record import ExternalRecord, replay
from shared.domain.identifiers import external_stream
from shared.domain.record import is_external_record_event, record_of
from shared.eventlog.entry import Entry
from shared.eventlog.histories import readable, rows_of_state
from shared.eventlog.log import EventLog

_LIST = """
SELECT originator_id FROM log.events
WHERE topic = 'record.put' AND originator_version = 1
  AND originator_id COLLATE "C" > %(after)s AND originator_id COLLATE "C" < %(before)s
  AND notification_id <= %(upto)s
ORDER BY originator_id COLLATE "C" LIMIT %(limit)s
"""
_OF_ALL = "record-"
_AFTER_HYPHEN = "."
"""What comes after `-` in the order of characters."""


@dataclass(frozen=True, slots=True)
class VersionedExternalRecord:
    """An external record at a version of its stream."""

    record: ExternalRecord
    version: int


@dataclass(frozen=True, slots=True)
class ExternalRecordPage:
    """A page of external records, by type and id; None at the end of the list."""

    items: list[VersionedExternalRecord]
    next_cursor: str | None


def one(
    log: EventLog, cursor: Cursors, ref: str, upto: AsOf
) -> VersionedExternalRecord | None:
    """Return a record as it was known at `upto`, None if it was not."""
    stream = external_stream(ref)
    rows = rows_of_state(log, cursor, [stream], upto.position)
    return _replayed(log.entries(rows))


def several(
    log: EventLog, cursor: Cursors, refs: Sequence[str], upto: AsOf
) -> Mapping[str, VersionedExternalRecord]:
    """Return those of these records that exist at `upto` and can be read."""
    streams = [external_stream(ref) for ref in refs]
    past = readable(log, cursor, streams, upto.position) if streams else {}
    found = (_replayed(past.get(stream, ())) for stream in streams)
    return {each.record.ref: each for each in found if each is not None}


def listed(  # what it reads, and which part of the list
    log: EventLog,
    cursor: Cursors,
    upto: AsOf,
    kind: str | None,
    after: str | None,
    limit: int,
) -> ExternalRecordPage:
    """Return up to `limit` records after a reference, of one type or of all.

    Those that cannot be read are left out.
    """
    first = external_stream(f"{kind}/") if kind else _OF_ALL
    given = {
        "after": max(first, external_stream(after)) if after else first,
        "before": f"{first.removesuffix('-')}{_AFTER_HYPHEN}",
        "upto": upto.position,
        "limit": limit + 1,
    }
    streams = [stream for (stream,) in cursor.execute(_LIST, given).fetchall()]
    shown = [record_of(stream) for stream in streams[:limit]]
    found = several(log, cursor, shown, upto)
    more = len(streams) > limit
    return ExternalRecordPage(list(found.values()), shown[-1] if more else None)


def _replayed(past: Sequence[Entry]) -> VersionedExternalRecord | None:
    record = replay(each.event for each in past if is_external_record_event(each.event))
    return VersionedExternalRecord(record, past[-1].version) if record else None
