"""Creates incidents with promises quickly, without going through intake."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

import psycopg

from shared.domain.events.incident import IncidentOpened
from shared.domain.identifiers import incident_ref, incident_stream
from shared.eventlog.append import AppendUnit, Recorded
from shared.eventlog.log import EventLog

BATCH = 500
COPIED_FROM = 10_000_000
"""References of incidents that exist only in the watcher's table."""

# Copies are due later than the others: they only fill the table.
_COPY = """
INSERT INTO sla.cases (incident, next_at, versions, state)
SELECT 'INC-' || n, next_at + interval '400 days' + n * interval '1 second',
       versions, state
FROM generate_series(%s::bigint, %s::bigint) AS n,
     (SELECT * FROM sla.cases WHERE next_at IS NOT NULL ORDER BY incident LIMIT 1)
"""


def opened(
    number: int,
    service: Literal["far", "near", "quiet", "paged"],
    at: datetime,
    reported_at: datetime,
) -> IncidentOpened:
    """Return the event that opens an incident, for a service of the policy."""
    return IncidentOpened(
        incident=incident_ref(number),
        policy=1,
        origin="monitoring",
        title="a disk is full on a web server in Amsterdam",
        service=service,
        impact="high",
        urgency="high",
        priority="p1",
        team="desk",
        source="demo",
        reported_at=reported_at,
        at=at,
        by="source:demo",
        whose="source:demo",
    )


def far(
    first: int,
    last: int,
    at: datetime,
    service: Literal["far", "quiet"] = "far",
) -> Iterator[IncidentOpened]:
    """Yield incidents that are due in weeks, each a second after the one before."""
    for number in range(first, last + 1):
        yield opened(number, service, at, at - timedelta(seconds=number))


def record(log: EventLog, events: Iterator[IncidentOpened]) -> None:
    """Append each to a stream of its own, 500 per transaction."""
    while part := list(islice(events, BATCH)):
        _append(log, part)


def _append(log: EventLog, events: Sequence[IncidentOpened]) -> None:
    members = [
        AppendUnit((log.stored(incident_stream(event.incident), 1, event),))
        for event in events
    ]
    with log.transaction() as cursor:
        outcomes = log.append(cursor, members)
    assert all(isinstance(outcome, Recorded) for outcome in outcomes), outcomes


def copy(dsn: str, wanted: int) -> None:
    """Copy cases in the watcher's table, without the log, until it has `wanted`."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute("SELECT count(*) FROM sla.cases").fetchone()
        assert row
        span = (COPIED_FROM + row[0], COPIED_FROM + wanted - 1)
        connection.execute(_COPY, span)
        connection.execute("VACUUM ANALYZE sla.cases")
        connection.execute("CHECKPOINT")
