"""Services handed over to Problem Management, read from the log: there are few."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from psycopg import Cursor

from services.projections.generations import AsOf
from services.projections.handovers import HandoverQuery, State
from shared.domain.events.handover import (
    CountedBreach,
    ServiceHandoverAccepted,
    ServiceHandoverDeclined,
    ServiceHandoverJoined,
    ServiceHandoverRequested,
    ServiceHandoverUnanswered,
)
from shared.domain.identifiers import handover_stream
from shared.eventlog.entry import Entry
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

Cursors = Cursor[tuple[Any, ...]]

ANSWERED_MAX = 1_000
"""How many of the newest service hand-overs are searched for a problem's."""
_NEWEST = """
SELECT originator_id FROM log.events AS begun
WHERE topic = 'handover.service_requested'
  AND notification_id < %(before)s AND notification_id <= %(upto)s
  AND (NOT %(waiting)s OR NOT EXISTS (
    SELECT FROM log.events AS answer
    WHERE answer.originator_id = begun.originator_id
      AND answer.topic IN ('handover.service_accepted', 'handover.service_joined',
                           'handover.service_declined')
      AND answer.notification_id <= %(upto)s))
ORDER BY notification_id DESC LIMIT %(limit)s
"""
_ANSWERED = (
    SELECT_ROWS
    + "WHERE topic IN ('handover.service_accepted', 'handover.service_joined') "
    + "AND notification_id <= %s ORDER BY notification_id DESC LIMIT %s"
)


@dataclass(frozen=True)
class ServiceHandover:
    """The hand-over of a service after its events; `position` is that of the request.

    `incident` is the one whose breach exceeded the budget.
    """

    incident: str
    service: str
    state: State
    team: str
    cause: Literal["breaches", "overrun", "downtime"]
    breaches: int
    overrun_seconds: int | None
    downtime_seconds: int | None
    outages: tuple[str, ...]
    within_days: int
    crossed_at: datetime
    counted: tuple[CountedBreach, ...]
    requested_at: datetime
    answer_by: datetime | None
    problem: str | None
    """The problem of which the service became part."""
    proposed: tuple[str, ...]
    """Open problems of the service, if there are several: it was linked to none."""
    reason: str | None
    """Why it was declined."""
    position: int

    @property
    def awaits(self) -> bool:
        """Whether it waits for an answer of Problem Management."""
        return self.state in {"requested", "unanswered"}


def replay(history: Iterable[Entry]) -> ServiceHandover | None:
    """Return the hand-over after its events, None without events."""
    handover: ServiceHandover | None = None
    for entry in history:
        if isinstance(entry.event, ServiceHandoverRequested):
            handover = _requested(entry, entry.event)
        elif handover is not None:
            handover = _answered(handover, entry)
    return handover


def one(
    log: EventLog, cursor: Cursors, incident: str, upto: AsOf
) -> ServiceHandover | None:
    """Return the hand-over of a service by the incident that caused it."""
    stream = handover_stream(incident)
    return _several(log, cursor, [stream], upto).get(stream)


def newest(
    log: EventLog, cursor: Cursors, upto: AsOf, wanted: HandoverQuery
) -> Sequence[ServiceHandover]:
    """Return the matching hand-overs, the newest first."""
    rows = cursor.execute(_NEWEST, wanted.of(upto))
    streams = [stream for (stream,) in rows]
    found = _several(log, cursor, streams, upto)
    return [found[stream] for stream in streams if stream in found]


def by_problem(
    log: EventLog, cursor: Cursors, upto: AsOf
) -> Mapping[str, Sequence[ServiceHandover]]:
    """Return the hand-overs that became part of problems, by problem, oldest first."""
    given = (upto.position, ANSWERED_MAX)
    rows = cursor.execute(_ANSWERED, given, binary=True).fetchall()
    streams = [entry.stream for entry in log.entries([Row(*row) for row in rows])]
    found: dict[str, list[ServiceHandover]] = {}
    handovers = _several(log, cursor, streams, upto).values()
    for each in sorted(handovers, key=lambda handover: handover.position):
        if each.problem is not None:
            found.setdefault(each.problem, []).append(each)
    return found


def _several(
    log: EventLog, cursor: Cursors, streams: Sequence[str], upto: AsOf
) -> Mapping[str, ServiceHandover]:
    histories: dict[str, list[Entry]] = {}
    for entry in log.histories(cursor, streams, upto.position) if streams else ():
        histories.setdefault(entry.stream, []).append(entry)
    found = ((stream, replay(past)) for stream, past in histories.items())
    return {stream: each for stream, each in found if each is not None}


def _requested(entry: Entry, event: ServiceHandoverRequested) -> ServiceHandover:
    return ServiceHandover(
        incident=event.incident,
        service=event.service,
        state="requested",
        team=event.team,
        cause=event.cause,
        breaches=event.breaches,
        overrun_seconds=event.overrun_seconds,
        downtime_seconds=event.downtime_seconds,
        outages=event.outages,
        within_days=event.within_days,
        crossed_at=event.crossed_at,
        counted=event.counted,
        requested_at=entry.recorded_at,
        answer_by=event.answer_by,
        problem=event.problem,
        proposed=event.proposed,
        reason=None,
        position=entry.position,
    )


def _answered(handover: ServiceHandover, entry: Entry) -> ServiceHandover:
    settled = replace(handover, proposed=())
    match entry.event:
        case ServiceHandoverAccepted(problem=problem):
            return replace(settled, state="accepted", problem=problem)
        case ServiceHandoverJoined(problem=problem):
            return replace(settled, state="joined", problem=problem)
        case ServiceHandoverDeclined(reason=reason):
            return replace(settled, state="declined", problem=None, reason=reason)
        case ServiceHandoverUnanswered():
            return replace(handover, state="unanswered")
        case _:
            return handover
