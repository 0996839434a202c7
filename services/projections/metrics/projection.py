"""Applies events to the metrics of a record. Pure: sees one record at a time.

For an incident it needs all streams about it, in the order of the log.
"""

from services.projections.metrics.contacts import heard, judged, noticed
from services.projections.metrics.incident_state import (
    Dims,
    Entered,
    Fact,
    IncidentState,
    RecordState,
    State,
    added,
    altered,
    given_to,
    moved,
)
from services.projections.metrics.intervals import spanned
from services.projections.metrics.promises import promised
from services.projections.metrics.record_state import about_change, about_problem
from shared.domain.events import (
    ChangeEvent,
    HandoverEvent,
    ProblemEvent,
    is_incident_event,
    is_sla_event,
)
from shared.domain.events.escalation import Escalated, EscalationReturned
from shared.domain.events.handover import HandoverJoined
from shared.domain.events.incident import IncidentOpened
from shared.domain.events.notification import NotificationRequested, NotificationSent
from shared.domain.identifiers import about
from shared.domain.incident import BrokenHistory
from shared.domain.incident.state import begun
from shared.eventlog.entry import Entry


def record_of(stream: str) -> str | None:
    """Return the record that a stream is about: an incident, a problem or a change."""
    kind, _, ref = stream.partition("-")
    return ref if kind in {"problem", "change"} else about(stream)


def step(state: State | None, entry: Entry) -> State | None:
    """Return the record after `entry`; an entry processed before changes nothing.

    Raises `BrokenHistory` for an event of a record that was never opened: it is parked,
    and retried after the opening.
    """
    if state is not None and entry.position <= state.seen.get(_kind(entry), 0):
        return state
    after = _after(state, entry)
    if after is state or after is None:
        return state
    return altered(after, seen={**after.seen, _kind(entry): entry.position})


def _kind(entry: Entry) -> str:
    return entry.stream.partition("-")[0]


def _after(state: State | None, entry: Entry) -> State | None:
    event = entry.event
    if record_of(entry.stream) is None:
        return state
    if isinstance(event, ProblemEvent):
        return about_problem(_matter(state), event, entry)
    if isinstance(event, ChangeEvent):
        return about_change(_matter(state), event, entry)
    if isinstance(state, IncidentState):
        return _lived(state, entry)
    if isinstance(event, IncidentOpened):
        return _opened(event, entry)
    raise BrokenHistory(f"{event.type} before incident.opened: {entry.stream}")


def _matter(state: State | None) -> RecordState | None:
    return state if isinstance(state, RecordState) else None


def _opened(event: IncidentOpened, entry: Entry) -> IncidentState:
    life = IncidentState(
        record=event.incident,
        dims=Dims(
            event.service, event.client, event.priority, event.team, event.category
        ),
        origin=event.origin,
        holders=begun(event.team),
        reported_at=event.reported_at,
    )
    return spanned(None, heard(life, event, entry), entry)


def _lived(life: IncidentState, entry: Entry) -> IncidentState:
    event = entry.event
    if is_incident_event(event):
        after = moved(heard(life, event, entry), event, entry)
        return life if after is life else judged(spanned(life, after, entry))
    if is_sla_event(event):
        return promised(life, event, entry)
    if isinstance(event, Escalated | EscalationReturned):
        return judged(_came_to(life, event, entry))
    if isinstance(event, NotificationRequested | NotificationSent):
        return noticed(life, event)
    if isinstance(event, HandoverEvent):
        unsure = isinstance(event, HandoverJoined) and event.to_be_confirmed
        word = "presumed" if unsure else event.type.removeprefix("handover.")
        fact = Fact("handover", 0, entry.recorded_at, word)
        return altered(life, facts=added(life.facts, fact))
    return life


def _came_to(
    life: IncidentState, event: Escalated | EscalationReturned, entry: Entry
) -> IncidentState:
    match event:
        case Escalated(escalated_at=entered_at):
            pass
        case EscalationReturned(returned_at=entered_at):
            pass
    levels = (*life.levels, Entered(event.to_level, entered_at))
    moved = altered(life, changed_team=True, levels=levels)
    return given_to(moved, event.team, entry.recorded_at)
