"""Solution notes, read from the log: they are few compared to other events.

Their text is encrypted, so a search reads them, a batch at a time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from services.projections.generations import AsOf
from services.projections.read_model import Cursors
from shared.domain.events.event import Actor
from shared.domain.events.incident import IncidentSolutionNoted
from shared.domain.identifiers import IncidentRef, incident_stream
from shared.eventlog.entry import Entry
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

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
       OR convert_from(state, 'UTF8')::jsonb ->> 'service' = %(service)s)
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
class Wanted:
    """A query of notes: a service, words that must all occur, and a limit."""

    service: str | None
    words: str | None
    before: int
    limit: int

    def fits(self, solution: Solution) -> bool:
        """Return whether all words occur in a note or its reference."""
        text = f"{solution.incident} {solution.note}".casefold()
        return all(word in text for word in (self.words or "").casefold().split())


@dataclass(frozen=True)
class Found:
    """Notes, the newest first, and the position before which to continue, if any."""

    solutions: Sequence[Solution]
    next_before: int | None


def newest(log: EventLog, cursor: Cursors, upto: AsOf, wanted: Wanted) -> Found:
    """Return the matching notes, reading at most `READ_MAX`."""
    read = _read(log, cursor, upto, wanted)
    found: list[Solution] = []
    last: Solution | None = None
    for last in islice(read, READ_MAX):
        if not wanted.fits(last):
            continue
        if len(found) == wanted.limit:
            return Found(found, found[-1].position)
        found.append(last)
    is_more = last is not None and next(read, None) is not None
    return Found(found, last.position if last and is_more else None)


def of_incidents(
    log: EventLog, cursor: Cursors, upto: AsOf, refs: Iterable[str], limit: int
) -> Sequence[Solution]:
    """Return the newest notes of these incidents."""
    streams = sorted({incident_stream(ref) for ref in refs})
    given = {"upto": upto.position, "streams": streams, "limit": limit}
    return _solutions(log, cursor, _OF_INCIDENTS, given) if streams else []


def uses(
    cursor: Cursors, schema: str, refs: Iterable[str]
) -> Mapping[str, tuple[int, datetime]]:
    """Return how often and when last notes were used, by incident, from the metrics."""
    found = cursor.execute(_USES.format(schema), (list(refs),))
    return {ref: (n, last) for ref, n, last in found}


def _read(
    log: EventLog, cursor: Cursors, upto: AsOf, wanted: Wanted
) -> Iterator[Solution]:
    before = wanted.before
    while True:
        given = {
            "upto": upto.position,
            "before": before,
            "service": wanted.service,
            "limit": BATCH,
        }
        batch = _solutions(log, cursor, _NEWEST, given)
        yield from batch
        if len(batch) < BATCH:
            return
        before = batch[-1].position


def _solutions(
    log: EventLog, cursor: Cursors, query: str, given: Mapping[str, object]
) -> list[Solution]:
    rows = cursor.execute(query, given, binary=True).fetchall()
    entries = log.entries([Row(*row) for row in rows])
    return [_solution(entry, entry.event) for entry in entries]


def _solution(entry: Entry, event: object) -> Solution:
    if not isinstance(event, IncidentSolutionNoted):
        raise TypeError(f"{entry.type} is no solution note")
    return Solution(
        event.incident,
        event.service,
        event.note,
        event.by,
        entry.recorded_at,
        entry.position,
    )
