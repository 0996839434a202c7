"""Reads many streams at once, so that one that cannot be read stops only itself.

A later version wrote an event of an unknown type, an encryption key is missing, or
stored data was tampered with. None of these need be permanent.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import structlog

from shared.database.cursors import Cursors
from shared.eventlog.entry import Entry
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import NEWEST, SELECT_ROWS, EventLog, Row
from shared.observability.telemetry import wordless

# Other systems may put an external record very often, and the newest put replaces the
# earlier ones. The first is read for the links that came before the newest.
_OF_EXTERNAL_RECORDS = f"""
SELECT e.* FROM unnest(%(streams)s::text[]) AS wanted (stream) CROSS JOIN LATERAL (
    ({SELECT_ROWS} WHERE originator_id = stream AND originator_version = 1)
    UNION ALL
    ({SELECT_ROWS} WHERE originator_id = stream AND originator_version > 1
        AND topic LIKE 'record.%%' AND topic <> 'record.put')
    UNION ALL
    ({SELECT_ROWS} WHERE originator_id = stream AND originator_version > 1
        AND topic = 'record.put' AND notification_id <= %(upto)s
     ORDER BY originator_version DESC LIMIT 1)
) AS e
WHERE e.notification_id <= %(upto)s ORDER BY originator_id, originator_version
"""  # noqa: S608 # our own names
_EXTERNAL = "record-"
_SKIPPED = "SELECT position FROM log.skipped_by_owner WHERE stream = ANY(%s)"
_DECIDED_BY_A_SERVICE = ("sla-", "escalation-", "handover-")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A stream or event that cannot be read: its version and why, without contents.

    `skipped`: the service that decides in the stream leaves the event out, too.
    """

    version: int
    why: str
    skipped: bool = False


def histories(
    log: EventLog,
    cursor: Cursors,
    streams: Sequence[str],
    upto: int = NEWEST,
) -> Mapping[str, list[Entry] | Unreadable]:
    """Return the entries that the state of each stream follows from, in order.

    Raises `Unavailable` only: any other error makes only its own stream unreadable.
    """
    rows = rows_of_state(log, cursor, streams, upto)
    _learn(log, rows)
    grouped = groupby(rows, key=attrgetter("stream"))
    return {name: _stream(log, list(group)) for name, group in grouped}


def rows_of_state(
    log: EventLog,
    cursor: Cursors,
    streams: Sequence[str],
    upto: int = NEWEST,
) -> list[Row]:
    """Return the same as stored rows, stream by stream.

    They are all events of a stream, except for puts of external records that a later
    put has replaced, and those that the owner of the stream skips.
    """
    external = sorted({each for each in streams if each.startswith(_EXTERNAL)})
    own = [each for each in streams if not each.startswith(_EXTERNAL)]
    rows = log.stored_histories(cursor, own, upto) if own else []
    if external:
        wanted = {"streams": external, "upto": upto}
        found = cursor.execute(_OF_EXTERNAL_RECORDS, wanted, binary=True).fetchall()
        rows += [Row(*row) for row in found]
    skipped = skipped_by_owner(cursor, own)
    return [row for row in rows if row.position not in skipped]


def skipped_by_owner(cursor: Cursors, streams: Iterable[str]) -> frozenset[int]:
    """Return the positions of the events in these streams that their owner skips.

    An administrator had the service that decides in a stream go on without them, so its
    decisions since then do not follow from them.
    """
    decided = [each for each in streams if each.startswith(_DECIDED_BY_A_SERVICE)]
    if not decided:
        return frozenset()
    return frozenset(position for (position,) in cursor.execute(_SKIPPED, (decided,)))


def readable(
    log: EventLog,
    cursor: Cursors,
    streams: Sequence[str],
    upto: int = NEWEST,
) -> Mapping[str, list[Entry]]:
    """Return the same without the streams that cannot be read; these are logged."""
    found: dict[str, list[Entry]] = {}
    for stream, history in histories(log, cursor, streams, upto).items():
        if isinstance(history, Unreadable):
            _log.warning("stream.left_out", stream=stream, why=history.why)
        else:
            found[stream] = history
    return found


def each_event(
    log: EventLog, rows: Sequence[Row]
) -> Iterator[tuple[Row, Entry | Unreadable]]:
    """Yield these events, each as its entry or with the reason why it cannot be read.

    Raises `Unavailable` only.
    """
    _learn(log, rows)
    for row in rows:
        yield row, _event(log, row)


def readable_rows(log: EventLog, rows: Sequence[Row]) -> list[Entry]:
    """Return those of these events that can be read; the others are logged."""
    found: list[Entry] = []
    for row, read in each_event(log, rows):
        if isinstance(read, Unreadable):
            where = {"stream": row.stream, "position": row.position}
            _log.warning("event.left_out", **where, why=read.why)
        else:
            found.append(read)
    return found


def _learn(log: EventLog, rows: Sequence[Row]) -> None:
    try:
        log.learn(rows)
    except Unavailable:
        raise
    except Exception:  # noqa: BLE001, S110 # reported by its stream
        pass


def _stream(log: EventLog, rows: Sequence[Row]) -> list[Entry] | Unreadable:
    found: list[Entry] = []
    for row in rows:
        read = _event(log, row)
        if isinstance(read, Unreadable):
            return Unreadable(rows[-1].version, read.why)
        found.append(read)
    return found


def _event(log: EventLog, row: Row) -> Entry | Unreadable:
    try:
        entry = log.entry(row)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 # it concerns this event only
        why = wordless(error)
        log.unreadable.failed(row.position, why)
        return Unreadable(row.version, why)
    log.unreadable.succeeded(row.position)
    return entry
