"""Hand-overs to Problem Management, straight from the log: there is one a breach."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from psycopg import Cursor

from services.projections.generations import AsOf
from shared.entry import Entry
from shared.event_log import EventLog
from shared.events.handover import (
    HandoverAccepted,
    HandoverDeclined,
    HandoverJoined,
    HandoverRequested,
    HandoverUnanswered,
)
from shared.references import handover_stream

Cursors = Cursor[tuple[Any, ...]]
State = Literal["requested", "unanswered", "accepted", "joined", "declined"]

_NEWEST = """
SELECT originator_id FROM log.events AS begun
WHERE topic = 'handover.requested'
  AND notification_id < %(before)s AND notification_id <= %(upto)s
  AND (NOT %(waiting)s OR NOT EXISTS (
    SELECT FROM log.events AS answer
    WHERE answer.originator_id = begun.originator_id
      AND answer.topic IN ('handover.accepted', 'handover.joined', 'handover.declined')
      AND answer.notification_id <= %(upto)s))
ORDER BY notification_id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Handover:
    """A hand-over after its events; `position` is that of the request."""

    incident: str
    state: State
    service: str
    team: str
    breached_at: datetime
    requested_at: datetime
    answer_by: datetime | None
    problem: str | None
    """The one it became part of; before that, an open one of the same service."""
    reason: str | None
    """Why it is no problem."""
    position: int

    @property
    def awaits(self) -> bool:
        """Whether Problem Management has not answered."""
        return self.state in {"requested", "unanswered"}


def replay(history: Iterable[Entry]) -> Handover | None:
    """Return the hand-over after its events, None where there is none."""
    handover: Handover | None = None
    for entry in history:
        if isinstance(entry.event, HandoverRequested):
            handover = _requested(entry, entry.event)
        elif handover is not None:
            handover = _answered(handover, entry)
    return handover


def one(log: EventLog, cursor: Cursors, incident: str, upto: AsOf) -> Handover | None:
    """Return the hand-over of an incident as it was known then."""
    stream = handover_stream(incident)
    return replay(log.histories(cursor, [stream], upto.position))


@dataclass(frozen=True)
class Wanted:
    """Up to `limit` hand-overs requested before a position, all or unanswered ones."""

    before: int
    only_waiting: bool
    limit: int

    def of(self, upto: AsOf) -> Mapping[str, object]:
        """Return what the queries of a list are given."""
        return {
            "before": self.before,
            "upto": upto.position,
            "waiting": self.only_waiting,
            "limit": self.limit,
        }


def newest(
    log: EventLog, cursor: Cursors, upto: AsOf, wanted: Wanted
) -> Sequence[Handover]:
    """Return the hand-overs that are wanted, the newest first."""
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
        None,
        entry.position,
    )


def _answered(handover: Handover, entry: Entry) -> Handover:
    match entry.event:
        case HandoverAccepted(problem=problem):
            return replace(handover, state="accepted", problem=problem)
        case HandoverJoined(problem=problem):
            return replace(handover, state="joined", problem=problem)
        case HandoverDeclined(reason=reason):
            return replace(handover, state="declined", problem=None, reason=reason)
        case HandoverUnanswered():
            return replace(handover, state="unanswered")
        case _:
            return handover
