"""Solution notes, read from the log: they are few compared to other events.

Their text is encrypted; a search finds them by its hashes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from services.projections.generations import AsOf
from services.projections.words.search import HashedWords
from services.projections.words.tables import OTHERS, RECORDS
from shared.database.cursors import Cursors
from shared.domain.events.event import Actor
from shared.domain.events.incident import IncidentSolutionNoted
from shared.domain.identifiers import IncidentRef, incident_stream
from shared.eventlog.entry import Entry
from shared.eventlog.histories import readable_rows
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

Seen = Callable[[Sequence[str]], frozenset[str]]
"""Returns those of some incidents that the reader may see."""
BATCH = 100
READ_MAX = 2_000
"""The maximum number of notes read for one page, whether they match or not."""

_CURRENT = f"""
{SELECT_ROWS.replace("FROM log.events", "FROM log.events AS noted")}
WHERE topic = 'incident.solution_noted' AND notification_id <= %(upto)s
  AND NOT EXISTS (
    SELECT FROM log.events AS later
    WHERE later.topic = 'incident.solution_noted'
      AND later.originator_id COLLATE "C" = noted.originator_id
      AND later.notification_id > noted.notification_id
      AND later.notification_id <= %(upto)s)
"""  # our own names
_NEWEST = f"""
{_CURRENT} AND notification_id < %(before)s
  AND (%(service)s::text IS NULL
       OR log.said(state, 'service') = %(service)s)
  {{matching}}
ORDER BY notification_id DESC LIMIT %(limit)s
"""
_OF_INCIDENTS = f"""
{_CURRENT} AND originator_id COLLATE "C" = ANY(%(streams)s)
ORDER BY notification_id DESC LIMIT %(limit)s
"""
_USES = """
SELECT word, count(*), max(since) FROM {}.facts
WHERE kind = 'solution_used' AND word = ANY(%s) GROUP BY word
"""


@dataclass(frozen=True)
class Solution:
    """A solution note: what N1 can do by itself, recorded at an incident."""

    incident: IncidentRef
    service: str
    note: str
    by: Actor
    noted_at: datetime
    position: int


@dataclass(frozen=True)
class NoteQuery:
    """A query of notes: a service, words that must all occur, and a limit."""

    service: str | None
    words: HashedWords | None
    before: int
    limit: int


@dataclass(frozen=True)
class NotePage:
    """Notes, the newest first, and the position before which to continue, if any."""

    solutions: Sequence[Solution]
    next_before: int | None


def newest(
    log: EventLog, cursor: Cursors, upto: AsOf, wanted: NoteQuery, seen: Seen
) -> NotePage:
    """Return the matching notes that are `seen`, reading at most `READ_MAX`."""
    read = _read(log, cursor, upto, wanted, seen)
    found: list[Solution] = []
    last: Solution | None = None
    for last in islice(read, READ_MAX):
        if len(found) == wanted.limit:
            return NotePage(found, found[-1].position)
        found.append(last)
    is_more = last is not None and next(read, None) is not None
    return NotePage(found, last.position if last and is_more else None)


def _matching(words: HashedWords) -> str:
    return (
        "AND notification_id IN (SELECT position"  # noqa: S608 # our own names
        f" FROM {words.schema}.{RECORDS.name} WHERE {OTHERS} AND kind = 'solution'"
        f" AND {words.named_condition})"
    )


def of_incidents(
    log: EventLog, cursor: Cursors, upto: AsOf, refs: Iterable[str], limit: int
) -> Sequence[Solution]:
    """Return the newest notes of these incidents."""
    streams = sorted({incident_stream(ref) for ref in refs})
    given = {"upto": upto.position, "streams": streams, "limit": limit}
    return _solutions(log, _rows(cursor, _OF_INCIDENTS, given)) if streams else []


def uses(
    cursor: Cursors, schema: str, refs: Iterable[str]
) -> Mapping[str, tuple[int, datetime]]:
    """Return how often and when last notes were used, by incident, from the metrics."""
    found = cursor.execute(_USES.format(schema), (list(refs),))
    return {ref: (n, last) for ref, n, last in found}


def _read(
    log: EventLog, cursor: Cursors, upto: AsOf, wanted: NoteQuery, seen: Seen
) -> Iterator[Solution]:
    words = wanted.words
    query = _NEWEST.format(matching=_matching(words) if words else "")
    before = wanted.before
    while True:
        given = {
            "upto": upto.position,
            "before": before,
            "service": wanted.service,
            "limit": BATCH,
            **(words.named if words else {}),
        }
        rows = _rows(cursor, query, given)
        batch = _solutions(log, rows)
        visible = seen([each.incident for each in batch])
        yield from (each for each in batch if each.incident in visible)
        if len(rows) < BATCH:
            return
        before = rows[-1].position


def _rows(cursor: Cursors, query: str, given: Mapping[str, object]) -> list[Row]:
    return [Row(*row) for row in cursor.execute(query, given, binary=True)]


def _solutions(log: EventLog, rows: Sequence[Row]) -> list[Solution]:
    """Return the notes of events, without those that cannot be read."""
    entries = readable_rows(log, rows)
    return [_solution(entry, entry.event) for entry in entries]


def _solution(entry: Entry, event: object) -> Solution:
    if not isinstance(event, IncidentSolutionNoted):
        raise TypeError(f"{entry.type} is not a solution note")
    return Solution(
        event.incident,
        event.service,
        event.note,
        event.by,
        entry.recorded_at,
        entry.position,
    )
