"""Hand-overs of incidents and services to Problem Management, read from the log.

Both are in the stream of the incident whose breach caused them: the hand-over of that
incident, and that of the service whose budget the breach used up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.projections.generations import AsOf
from services.projections.log_queries import histories
from shared.database.cursors import Cursors
from shared.domain import events
from shared.domain.identifiers import handover_stream
from shared.eventlog.entry import Entry
from shared.eventlog.histories import readable
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

Subject = Literal["incident", "service"]
State = Literal["requested", "unanswered", "accepted", "joined", "declined"]

JOINED_MAX = 1_000
"""How many of the newest service hand-overs are searched for a problem's."""
_NEWEST = """
SELECT originator_id, notification_id FROM log.events AS begun
WHERE topic = 'handover.{subject}requested'
  AND notification_id < %(before)s AND notification_id <= %(upto)s
  AND (NOT %(waiting)s OR (
    SELECT CASE newest.topic
        WHEN 'handover.joined' THEN
            coalesce(log.said(newest.state, 'to_be_confirmed') = 'true', false)
        ELSE newest.topic NOT IN (
            'handover.accepted', 'handover.declined', 'handover.service_accepted',
            'handover.service_joined', 'handover.service_declined') END
    FROM log.events AS newest
    WHERE newest.originator_id = begun.originator_id
      AND newest.topic {like} 'handover.service%%'
      AND newest.notification_id <= %(upto)s
    ORDER BY newest.originator_version DESC LIMIT 1))
ORDER BY notification_id DESC LIMIT %(limit)s
"""
_NEWEST_OF: Mapping[Subject, str] = {
    "incident": _NEWEST.format(subject="", like="NOT LIKE"),
    "service": _NEWEST.format(subject="service_", like="LIKE"),
}
_SERVICES_WITH_PROBLEM = (
    SELECT_ROWS
    + "WHERE topic IN ('handover.service_accepted', 'handover.service_joined') "
    + "AND notification_id <= %s ORDER BY notification_id DESC LIMIT %s"
)


@dataclass(frozen=True)
class Handover:
    """A hand-over after its events; `position` and `requested_at` are of the request.

    What was requested, and why, is in `request`.
    """

    request: events.HandoverRequested | events.ServiceHandoverRequested
    position: int
    requested_at: datetime
    answer_by: datetime | None
    problem: str | None
    """The problem it belongs to, confirmed or presumed."""
    proposed: tuple[str, ...]
    """Problems that match and that it did not join: several, or one that came later."""
    matched: events.Match | None = None
    """How it was matched to the problem; None if a person linked it."""
    state: State = "requested"
    to_be_confirmed: bool = False
    """Whether it was matched only by its service, and a person has to confirm that."""
    reason: str | None = None
    """Why it was declined."""

    @property
    def awaits(self) -> bool:
        """Whether it waits for an answer of Problem Management."""
        return self.to_be_confirmed or self.state in {"requested", "unanswered"}


@dataclass(frozen=True)
class HandoverQuery:
    """Up to `limit` hand-overs requested before a position, all or unanswered ones."""

    before: int
    only_waiting: bool
    limit: int


def replay(history: Iterable[Entry], subject: Subject) -> Handover | None:
    """Return the hand-over of `subject` after its events, None without events."""
    handover: Handover | None = None
    for entry in history:
        handover = evolve(handover, entry, subject)
    return handover


def evolve(
    handover: Handover | None, entry: Entry, subject: Subject
) -> Handover | None:
    """Return the hand-over of `subject` after `entry`; others leave it as it is."""
    if events.is_service_handover(entry.event) != (subject == "service"):
        return handover
    return _requested(entry) or (handover and _answered(handover, entry))


def one(
    log: EventLog, cursor: Cursors, subject: Subject, incident: str, upto: AsOf
) -> Handover | None:
    """Return the hand-over that an incident caused, as it was known at `upto`."""
    stream = handover_stream(incident)
    past = histories(log, cursor, [stream], upto.position)
    return _several(subject, past).get(stream)


def newest(
    log: EventLog, cursor: Cursors, subject: Subject, upto: AsOf, query: HandoverQuery
) -> Sequence[Handover]:
    """Return the matching hand-overs that can be read, the newest first."""
    before, found = query.before, list[Handover]()
    while len(found) < query.limit:
        given = {
            "before": before,
            "upto": upto.position,
            "waiting": query.only_waiting,
            "limit": query.limit,
        }
        rows = cursor.execute(_NEWEST_OF[subject], given).fetchall()
        streams = [stream for stream, _ in rows]
        past = readable(log, cursor, streams, upto.position)
        handovers = _several(subject, past)
        found += [handovers[stream] for stream in streams if stream in handovers]
        if len(rows) < query.limit:
            break
        before = rows[-1][1]
    return found[: query.limit]


def services_by_problem(
    log: EventLog, cursor: Cursors, upto: AsOf
) -> Mapping[str, Sequence[Handover]]:
    """Return the services that became part of problems, by problem, oldest first."""
    given = (upto.position, JOINED_MAX)
    rows = cursor.execute(_SERVICES_WITH_PROBLEM, given, binary=True).fetchall()
    streams = [Row(*row).stream for row in rows]
    by_problem: dict[str, list[Handover]] = {}
    past = readable(log, cursor, streams, upto.position)
    handovers = _several("service", past).values()
    for each in sorted(handovers, key=lambda handover: handover.position):
        if each.problem is not None:
            by_problem.setdefault(each.problem, []).append(each)
    return by_problem


def _several(
    subject: Subject, past: Mapping[str, Sequence[Entry]]
) -> Mapping[str, Handover]:
    handovers = ((stream, replay(each, subject)) for stream, each in past.items())
    return {stream: each for stream, each in handovers if each is not None}


def _requested(entry: Entry) -> Handover | None:
    event = entry.event
    if not isinstance(
        event, events.HandoverRequested | events.ServiceHandoverRequested
    ):
        return None
    return Handover(
        event,
        entry.position,
        entry.recorded_at,
        event.answer_by,
        event.problem,
        event.proposed,
        event.matched if isinstance(event, events.HandoverRequested) else None,
    )


def _answered(  # noqa: PLR0911 one return an event
    handover: Handover, entry: Entry
) -> Handover:
    settled = replace(handover, matched=None, to_be_confirmed=False, proposed=())
    match entry.event:
        case (
            events.HandoverAccepted(problem=problem)
            | events.ServiceHandoverAccepted(problem=problem)
        ):
            return replace(settled, state="accepted", problem=problem)
        case events.HandoverJoined(
            problem=problem, matched=matched, to_be_confirmed=unsure
        ):
            joined = replace(settled, state="joined", problem=problem)
            return replace(joined, matched=matched, to_be_confirmed=unsure)
        case events.ServiceHandoverJoined(problem=problem):
            return replace(settled, state="joined", problem=problem)
        case (
            events.HandoverDeclined(reason=reason)
            | events.ServiceHandoverDeclined(reason=reason)
        ):
            return replace(settled, state="declined", problem=None, reason=reason)
        case (
            events.HandoverReopened(answer_by=by)
            | events.ServiceHandoverReopened(answer_by=by)
        ):
            return replace(settled, state="requested", problem=None, answer_by=by)
        case events.HandoverProposed(problem=problem):
            return replace(handover, proposed=(*handover.proposed, problem))
        case events.HandoverUnanswered() | events.ServiceHandoverUnanswered():
            return replace(handover, state="unanswered")
        case _:
            return handover
