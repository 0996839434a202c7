"""Applies events to the metrics of a record. Pure: sees one record at a time.

For an incident it needs all streams about it, in the order of the log. Its own events
are here; its promises, contacts and intervals are in files of their own, and so are
problems and changes.

The status of an incident follows `shared.domain.incident`; a property-based test
compares both.
"""

from datetime import datetime

from services.projections.metrics.contacts import (
    after_contact,
    after_opening,
    after_receipt,
    with_first_contact_checked,
)
from services.projections.metrics.intervals import with_intervals
from services.projections.metrics.promises import after_promise_event
from services.projections.metrics.records import (
    after_change_event,
    after_problem_event,
    after_survey_event,
)
from services.projections.metrics.state import (
    Dims,
    Entered,
    Fact,
    IncidentState,
    Pause,
    RecordState,
    State,
    added,
    changed,
)
from shared.domain import events
from shared.domain.identifiers import about, is_incident_ref
from shared.domain.incident import BrokenHistory, Status
from shared.domain.incident.deliveries import OpenQuestion
from shared.domain.incident.reporters import NOBODY
from shared.domain.incident.state import begun, passed
from shared.eventlog.entry import Entry


def record_of(stream: str) -> str | None:
    """Return the record that a stream is about: an incident, a problem or a change.

    The survey of an incident is a record of its own: it is counted by what the incident
    was when its user was asked.
    """
    kind, _, ref = stream.partition("-")
    if kind == "survey":
        return stream if is_incident_ref(ref) else None
    return ref if kind in {"problem", "change"} else about(stream)


def step(state: State | None, entry: Entry) -> State | None:
    """Return the record after `entry`; an entry processed before changes nothing.

    Raises `BrokenHistory` for an event of a record that was never opened: it is parked,
    and retried after the opening.
    """
    kind = entry.stream.partition("-")[0]
    if state is not None and entry.position <= state.seen.get(kind, 0):
        return state
    after = _after(state, entry)
    if after is state or after is None:
        return state
    return changed(after, seen={**after.seen, kind: entry.position})


def _after(state: State | None, entry: Entry) -> State | None:
    event = entry.event
    record = state if isinstance(state, RecordState) else None
    if record_of(entry.stream) is None:
        return state
    if events.is_survey_event(event):
        return after_survey_event(record, event, entry)
    if isinstance(event, events.ProblemEvent):
        return after_problem_event(record, event, entry)
    if isinstance(event, events.ChangeEvent):
        return after_change_event(record, event, entry)
    if isinstance(state, IncidentState):
        return _after_event(state, entry)
    if isinstance(event, events.IncidentOpened):
        return _opened(event, entry)
    raise BrokenHistory(f"{event.type} before incident.opened: {entry.stream}")


def _opened(event: events.IncidentOpened, entry: Entry) -> IncidentState:
    incident = IncidentState(
        record=event.incident,
        dims=Dims(
            event.service, event.client, event.priority, event.team, event.category
        ),
        origin=event.origin,
        holders=begun(event.team),
        reported_at=event.reported_at,
        reporters=NOBODY.after(event),
    )
    return with_intervals(None, after_opening(incident, event, entry), entry)


def _after_event(incident: IncidentState, entry: Entry) -> IncidentState:
    event = entry.event
    incident = _after_question(incident, event)
    if events.is_incident_event(event):
        return _after_own_event(incident, event, entry)
    if events.is_sla_event(event):
        return after_promise_event(incident, event, entry)
    if isinstance(event, events.Escalated | events.EscalationReturned):
        return with_first_contact_checked(_after_escalation(incident, event, entry))
    if isinstance(event, events.NotificationRequested | events.NotificationSent):
        return after_receipt(incident, event)
    is_hint = isinstance(event, events.HandoverProposed)
    if isinstance(event, events.HandoverEvent) and not is_hint:
        unsure = isinstance(event, events.HandoverJoined) and event.to_be_confirmed
        word = "presumed" if unsure else event.type.removeprefix("handover.")
        fact = Fact("handover", 0, entry.recorded_at, word)
        return changed(incident, facts=added(incident.facts, fact))
    return incident


def _after_question(incident: IncidentState, event: events.AnyEvent) -> IncidentState:
    """Return the incident: it waits for a user once they have received its question."""
    reporters = incident.reporters.after(event)
    if reporters is not incident.reporters:
        incident = changed(incident, reporters=reporters)
    question = incident.question
    if question is None:
        return incident
    if not question.is_received_by(event, reporters.all):
        return changed(incident, question=question.after(event))
    pauses = (*incident.pauses, Pause("user", event.at))
    return changed(incident, pauses=pauses, question=None)


_DONE = frozenset({Status.RESOLVED, Status.CLOSED})


def _after_own_event(
    incident: IncidentState, event: events.IncidentEvent, entry: Entry
) -> IncidentState:
    after = _with_meaning(incident, event, entry)
    if after is incident:
        return incident
    resolved = isinstance(event, events.IncidentResolved) or incident.resolved
    after = changed(after, resolved=resolved and after.status in _DONE)
    return with_first_contact_checked(with_intervals(incident, after, entry))


def _with_meaning(  # noqa: C901, PLR0911, PLR0912 # one case for each event
    incident: IncidentState, event: events.IncidentEvent, entry: Entry
) -> IncidentState:
    match event:
        case events.IncidentOpened():
            raise BrokenHistory(f"{event.incident} was opened twice")
        case events.IncidentContacted(direction="inbound"):
            return after_contact(incident, event, entry)
        case events.IncidentClassified():
            names = ("service", "client", "priority", "category")
            now = {name: getattr(event, name) for name in names}
            return changed(incident, dims=changed(incident.dims, **now))
        case events.IncidentAssigned(team=team):
            return _given_to(incident, team, entry.recorded_at)
        case events.IncidentAcknowledged():
            return _acknowledged(incident)
        case events.IncidentPaused(awaits_delivery=True):
            question = OpenQuestion(entry.version)
            return changed(incident, status=Status.PAUSED, question=question)
        case events.IncidentPaused():
            pauses = (*incident.pauses, Pause(event.reason, event.at))
            return changed(incident, status=Status.PAUSED, pauses=pauses)
        case events.IncidentResumed():
            ended = (changed(p, until=p.until or event.at) for p in incident.pauses)
            status = _status_at_work(incident)
            return changed(incident, status=status, pauses=tuple(ended), question=None)
        case events.IncidentRestored() | events.IncidentRelapsed():
            is_restored = isinstance(event, events.IncidentRestored)
            return changed(incident, restored=is_restored)
        case events.IncidentResolved():
            return _resolved(incident, event, entry)
        case events.IncidentSolutionNoted():
            noted = Fact("solution_noted", 0, entry.recorded_at)
            return changed(incident, facts=added(incident.facts, noted))
        case events.IncidentReopened():
            return _reopened(incident, event, entry)
        case events.IncidentClosed():
            return changed(incident, status=Status.CLOSED)
        case events.IncidentCancelled() | events.IncidentRedirected():
            return changed(incident, status=Status.CANCELLED)
        case events.IncidentMerged():
            return changed(incident, status=Status.MERGED)
        case events.IncidentUnmerged():
            return changed(incident, status=_status_at_work(incident))
        case _:
            return incident


def _given_to(incident: IncidentState, team: str, at: datetime) -> IncidentState:
    """Return an incident after its assignment to a team; count a return."""
    before = incident.holders or begun(incident.dims.team or team)
    after = passed(before, team, at)
    if after is before and team == incident.dims.team:
        return incident
    dims = changed(incident.dims, team=team)
    given = changed(incident, dims=dims, changed_team=True, holders=after)
    if after.returns == before.returns:
        return given
    return changed(given, facts=added(given.facts, Fact("ping_pong", 0, at)))


def _acknowledged(incident: IncidentState) -> IncidentState:
    paused = incident.status is Status.PAUSED
    status = Status.PAUSED if paused else Status.ACKNOWLEDGED
    return changed(incident, status=status, acknowledged=True, ever_acknowledged=True)


def _status_at_work(incident: IncidentState) -> Status:
    return Status.ACKNOWLEDGED if incident.acknowledged else Status.NEW


def _resolved(
    incident: IncidentState, event: events.IncidentResolved, entry: Entry
) -> IncidentState:
    at, facts = entry.recorded_at, incident.facts
    if event.root_cause_open:
        facts = added(facts, Fact("left_open", 0, at))
    if event.by.startswith("person:"):
        reached = incident.levels[-1].level if incident.levels else "n1"
        how = "by_solution" if event.solution else "otherwise"
        facts = added(facts, Fact("solved", 0, at, event.level or reached, ended=how))
    if event.solution:
        facts = added(facts, Fact("solution_used", 0, at, event.solution))
    return changed(incident, status=Status.RESOLVED, facts=facts)


def _reopened(
    incident: IncidentState, event: events.IncidentReopened, entry: Entry
) -> IncidentState:
    word = "after_closure" if event.after_closure else "resolved"
    facts = added(incident.facts, Fact("reopened", 0, entry.recorded_at, word))
    if event.quick_fix:
        facts = added(facts, Fact("quick_fix", 0, entry.recorded_at))
    levels, holders = incident.levels, incident.holders
    return changed(
        incident,
        status=Status.NEW,
        acknowledged=False,
        restored=False,
        levels=(*levels, Entered("n1", event.at)) if levels else (),
        holders=begun(holders.desk) if holders else None,
        facts=facts,
    )


def _after_escalation(
    incident: IncidentState,
    event: events.Escalated | events.EscalationReturned,
    entry: Entry,
) -> IncidentState:
    match event:
        case events.Escalated(escalated_at=entered_at):
            pass
        case events.EscalationReturned(returned_at=entered_at):
            pass
    levels = (*incident.levels, Entered(event.to_level, entered_at))
    reached = changed(incident, changed_team=True, levels=levels)
    return _given_to(reached, event.team, entry.recorded_at)
