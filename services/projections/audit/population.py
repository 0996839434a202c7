"""The incidents from which a sample is drawn: those that closed in a period.

All of it follows from the log up to a position. Priority and client are those that the
incident had at that position; an incident that closed twice counts once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.projections.audit.entries import Span
from shared.database.cursors import Cursors
from shared.domain.events import IncidentClassified, IncidentOpened
from shared.domain.identifiers import incident_stream
from shared.eventlog.entry import Entry
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

POPULATION_MAX = 100_000
"""The maximum number of incidents from which a sample is drawn."""
CLASSIFIED_MAX = 20_000
"""The maximum number of them whose priority, client or overrides are compared."""
_AT_ONCE = 2_000

_CLOSED = """
SELECT originator_id, max(notification_id) FROM log.events
WHERE topic = 'incident.closed' AND notification_id > %s AND notification_id <= %s
GROUP BY originator_id LIMIT %s
"""
_CLASSIFIED = f"""
{SELECT_ROWS} WHERE originator_id = ANY(%s) AND notification_id <= %s
  AND topic IN ('incident.opened', 'incident.classified')
ORDER BY originator_id, originator_version
"""


class TooLarge(Exception):
    """More incidents closed in the period than can be looked at."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Limits a population; without values to nothing."""

    priority: str | None = None
    client: str | None = None
    overridden: bool = False

    @property
    def is_open(self) -> bool:
        """Whether every incident passes."""
        return self == Filter()


class Class(NamedTuple):
    """How an incident is classified, and whether a priority was ever set by hand."""

    priority: str | None
    client: str | None
    overridden: bool


def closed(cursor: Cursors, span: Span) -> Mapping[str, int]:
    """Return the incidents that closed, each with the position of the last closing.

    Raises `TooLarge`.
    """
    asked = (span.low, span.high, POPULATION_MAX + 1)
    rows = cursor.execute(_CLOSED, asked).fetchall()
    if len(rows) > POPULATION_MAX:
        raise TooLarge(
            f"more than {POPULATION_MAX} incidents closed in this period: choose a "
            "shorter one"
        )
    prefix = incident_stream("")
    return {stream.removeprefix(prefix): position for stream, position in rows}


def classes(
    log: EventLog, cursor: Cursors, refs: Sequence[str], upto: int
) -> Mapping[str, Class]:
    """Return how these incidents were classified at a position."""
    found: dict[str, Class] = {}
    for part in _parts(refs):
        streams = [incident_stream(ref) for ref in part]
        rows = cursor.execute(_CLASSIFIED, (streams, upto), binary=True)
        for entry in log.without_words([Row(*row) for row in rows]).entries:
            _classify(found, entry)
    return found


def _parts(refs: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(refs), _AT_ONCE):
        yield refs[first : first + _AT_ONCE]


def _classify(found: dict[str, Class], entry: Entry) -> None:
    event = entry.event
    if not isinstance(event, IncidentOpened | IncidentClassified):
        return
    before = found.get(event.incident)
    overridden = event.override or (before is not None and before.overridden)
    found[event.incident] = Class(event.priority, event.client, overridden)


def passes(each: Class | None, limits: Filter) -> bool:
    """Return whether an incident belongs to a population."""
    if each is None:
        return limits.is_open
    return (
        limits.priority in (None, each.priority)
        and limits.client in (None, each.client)
        and (each.overridden or not limits.overridden)
    )


def population(
    log: EventLog, cursor: Cursors, span: Span, limits: Filter
) -> Mapping[str, int]:
    """Return the incidents to draw from, with the position of the last closing.

    Raises `TooLarge`.
    """
    found = closed(cursor, span)
    if limits.is_open:
        return found
    if len(found) > CLASSIFIED_MAX:
        raise TooLarge(
            f"more than {CLASSIFIED_MAX} incidents closed in this period: choose a "
            "shorter one, or draw without limits"
        )
    known = classes(log, cursor, sorted(found), span.high)
    return {ref: at for ref, at in found.items() if passes(known.get(ref), limits)}


_RECORDED = """
SELECT notification_id, recorded_at FROM log.events WHERE notification_id = ANY(%s)
"""


def instants(cursor: Cursors, positions: Sequence[int]) -> Mapping[int, datetime]:
    """Return when the events at these positions were recorded."""
    rows = cursor.execute(_RECORDED, (list(positions),)).fetchall()
    return dict(rows)
