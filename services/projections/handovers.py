"""Hand-overs to Problem Management, read from the log: one for each breach."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from psycopg import Cursor

from services.projections.generations import AsOf
from shared.domain.events.handover import (
    HandoverAccepted,
    HandoverDeclined,
    HandoverJoined,
    HandoverReopened,
    HandoverRequested,
    HandoverUnanswered,
)
from shared.domain.events.problem import Match
from shared.domain.identifiers import handover_stream
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog

Cursors = Cursor[tuple[Any, ...]]
State = Literal["requested", "unanswered", "accepted", "joined", "declined"]

_NEWEST = """
SELECT originator_id FROM log.events AS begun
WHERE topic = 'handover.requested'
  AND notification_id < %(before)s AND notification_id <= %(upto)s
  AND (NOT %(waiting)s OR (
    SELECT CASE newest.topic
        WHEN 'handover.joined' THEN coalesce(convert_from(newest.state, 'UTF8')::jsonb
            ->> 'to_be_confirmed', 'false')::boolean
        ELSE newest.topic NOT IN ('handover.accepted', 'handover.declined') END
    FROM log.events AS newest
    WHERE newest.originator_id = begun.originator_id
      AND newest.topic NOT LIKE 'handover.service%%'
      AND newest.notification_id <= %(upto)s
    ORDER BY newest.originator_version DESC LIMIT 1))
ORDER BY notification_id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Handover:
    """A hand-over after its events; `position` is the position of the request."""

    incident: str
    state: State
    service: str
    team: str
    breached_at: datetime
    requested_at: datetime
    answer_by: datetime | None
    problem: str | None
    """The problem it belongs to, confirmed or presumed."""
    matched: Match | None
    """How it was matched to the problem; None if a person linked it."""
    to_be_confirmed: bool
    """Whether it was matched only by its service, and a person has to confirm that."""
    proposed: tuple[str, ...]
    """Open problems that match, if there are several: it was linked to none of them."""
    reason: str | None
    """Why it was declined."""
    position: int

    @property
    def awaits(self) -> bool:
        """Whether it waits for an answer of Problem Management."""
        return self.to_be_confirmed or self.state in {"requested", "unanswered"}


def replay(history: Iterable[Entry]) -> Handover | None:
    """Return the hand-over after its events, None without events."""
    handover: Handover | None = None
    for entry in history:
        if isinstance(entry.event, HandoverRequested):
            handover = _requested(entry, entry.event)
        elif handover is not None:
            handover = _answered(handover, entry)
    return handover


def one(log: EventLog, cursor: Cursors, incident: str, upto: AsOf) -> Handover | None:
    """Return the hand-over of an incident as it was known at `upto`."""
    stream = handover_stream(incident)
    return replay(log.histories(cursor, [stream], upto.position))


@dataclass(frozen=True)
class HandoverQuery:
    """Up to `limit` hand-overs requested before a position, all or unanswered ones."""

    before: int
    only_waiting: bool
    limit: int

    def of(self, upto: AsOf) -> Mapping[str, object]:
        """Return the parameters of the SQL queries."""
        return {
            "before": self.before,
            "upto": upto.position,
            "waiting": self.only_waiting,
            "limit": self.limit,
        }


def newest(
    log: EventLog, cursor: Cursors, upto: AsOf, wanted: HandoverQuery
) -> Sequence[Handover]:
    """Return the matching hand-overs, the newest first."""
    rows = cursor.execute(_NEWEST, wanted.of(upto))
    streams = [stream for (stream,) in rows]
    by_stream: dict[str, list[Entry]] = {}
    for entry in log.histories(cursor, streams, upto.position):
        by_stream.setdefault(entry.stream, []).append(entry)
    found = (replay(by_stream.get(stream, [])) for stream in streams)
    return [each for each in found if each is not None]


def _requested(entry: Entry, event: HandoverRequested) -> Handover:
    return Handover(
        event.incident,
        "requested",
        event.service,
        event.team,
        event.breached_at,
        entry.recorded_at,
        event.answer_by,
        event.problem,
        event.matched,
        False,
        event.proposed,
        None,
        entry.position,
    )


def _answered(handover: Handover, entry: Entry) -> Handover:
    settled = replace(handover, matched=None, to_be_confirmed=False, proposed=())
    match entry.event:
        case HandoverAccepted(problem=problem):
            return replace(settled, state="accepted", problem=problem)
        case HandoverJoined(problem=problem, matched=matched, to_be_confirmed=unsure):
            joined = replace(settled, state="joined", problem=problem)
            return replace(joined, matched=matched, to_be_confirmed=unsure)
        case HandoverDeclined(reason=reason):
            return replace(settled, state="declined", problem=None, reason=reason)
        case HandoverReopened(answer_by=by):
            return replace(settled, state="requested", problem=None, answer_by=by)
        case HandoverUnanswered():
            return replace(handover, state="unanswered")
        case _:
            return handover
