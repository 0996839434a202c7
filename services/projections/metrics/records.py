"""Facts about problems, changes and surveys."""

from services.projections.metrics.state import (
    Dims,
    Fact,
    Kind,
    RecordState,
    changed,
    last,
    replaced,
)
from shared.domain import events
from shared.domain.identifiers import added, removed
from shared.domain.incident import BrokenHistory
from shared.domain.survey.results import is_satisfied
from shared.eventlog.entry import Entry

_OF_INCIDENT: Kind = "problem_of_incident"


def after_problem_event(
    record: RecordState | None, event: events.ProblemEvent, entry: Entry
) -> RecordState:
    """Return a problem after an event of its own stream."""
    if record is None:
        if not isinstance(event, events.ProblemIdentified):
            raise BrokenHistory(f"{event.type} before its problem: {entry.stream}")
        dims = Dims(service=event.service, team=event.team)
        record = RecordState(event.problem, dims)
        record = _once(record, "problem", event.origin, entry)
    match event:
        case events.ProblemIncidentLinked(incident=incident):
            return _caused_by(record, added(record.incidents, incident), entry)
        case events.ProblemIdentified(incident=str(incident)):
            return _caused_by(record, (incident,), entry)
        case events.ProblemIdentified(origin="incident"):
            return _once(record, _OF_INCIDENT, "", entry)
        case events.ProblemIncidentUnlinked(relation="problem", incident=incident):
            return _caused_by(record, removed(record.incidents, incident), entry)
        case events.ProblemAssigned():
            return changed(record, dims=changed(record.dims, team=event.team))
        case _:
            return record


def _caused_by(
    record: RecordState, incidents: tuple[str, ...], entry: Entry
) -> RecordState:
    """Return a problem with the incidents that led to it.

    Facts are never removed, since their rows are not: one that no longer applies is
    marked `unlinked`.
    """
    record = changed(record, incidents=incidents)
    was = last(record.facts, _OF_INCIDENT)
    if was is None:
        return _once(record, _OF_INCIDENT, "", entry)
    now = changed(was, word="" if incidents else "unlinked")
    return changed(record, facts=replaced(record.facts, was, now))


def after_change_event(  # noqa: PLR0911 one return an event
    record: RecordState | None, event: events.ChangeEvent, entry: Entry
) -> RecordState:
    """Return a change after an event of its own stream."""
    if record is None:
        if not isinstance(event, events.ChangeRequested):
            raise BrokenHistory(f"{event.type} before its change: {entry.stream}")
        dims = Dims(service=event.service, team=event.team)
        incidents = (event.incident,) if event.incident else ()
        record = RecordState(event.change, dims, event.problem, incidents)
        return _once(record, "change_requested", _origin(record), entry)
    match event:
        case events.ChangeIncidentLinked(relation="change", incident=incident):
            return _of_incidents(record, added(record.incidents, incident))
        case events.ChangeIncidentUnlinked(relation="change", incident=incident):
            return _of_incidents(record, removed(record.incidents, incident))
        case events.ChangeProblemLinked(problem=problem):
            return _of_incidents(changed(record, via=problem), record.incidents)
        case events.ChangeProblemUnlinked():
            return _of_incidents(changed(record, via=None), record.incidents)
        case events.ChangeAssigned():
            return changed(record, dims=changed(record.dims, team=event.team))
        case events.ChangePlanned():
            return _once(record, "change_planned", _origin(record), entry)
        case events.ChangeCancelled():
            return _once(record, "change_cancelled", _origin(record), entry)
        case _:
            return record


def after_survey_event(
    record: RecordState | None, event: events.SurveyEvent, entry: Entry
) -> RecordState | None:
    """Return the survey of an incident after an event of its stream.

    An anonymous one is not counted: its answers belong to no incident.
    """
    match event:
        case events.SurveyInvited(kept=tuple()):
            return record
        case events.SurveyInvited():
            dims = Dims(
                service=event.service,
                client=event.client,
                team=event.team,
                channel=event.channel,
            )
            record = record or RecordState(entry.stream, dims)
            return _once(record, "survey_invited", event.survey, entry)
        case events.SurveyAnswered() if record is not None:
            word = "satisfied" if is_satisfied(event) else "dissatisfied"
            was = last(record.facts, "survey_invited")
            if was is not None:
                now = changed(was, until=entry.recorded_at, ended="answered")
                record = changed(record, facts=replaced(record.facts, was, now))
            return _once(record, "survey_answered", word, entry)
        case _:
            raise BrokenHistory(f"{event.type} before its invitation: {entry.stream}")


def _of_incidents(record: RecordState, incidents: tuple[str, ...]) -> RecordState:
    """Return a change with its incidents, which apply to all its facts."""
    record = changed(record, incidents=incidents)
    word = _origin(record)
    facts = tuple(changed(fact, word=word) for fact in record.facts)
    return changed(record, facts=facts)


def _origin(record: RecordState) -> str:
    if record.incidents:
        return "incident"
    return "problem" if record.via else "neither"


def _once(record: RecordState, kind: Kind, word: str, entry: Entry) -> RecordState:
    if last(record.facts, kind):
        return record
    fact = Fact(kind, 1, entry.recorded_at, word)
    return changed(record, facts=(*record.facts, fact))
