"""Facts about problems and changes."""

from services.projections.metrics.incident_state import (
    Dims,
    Fact,
    Kind,
    RecordState,
    altered,
    changed,
    last,
)
from shared.domain.events import ChangeEvent, ProblemEvent
from shared.domain.events.change import (
    ChangeAssigned,
    ChangeCancelled,
    ChangeIncidentLinked,
    ChangeIncidentUnlinked,
    ChangePlanned,
    ChangeProblemLinked,
    ChangeProblemUnlinked,
    ChangeRequested,
)
from shared.domain.events.problem import (
    ProblemAssigned,
    ProblemIdentified,
    ProblemIncidentLinked,
    ProblemIncidentUnlinked,
)
from shared.domain.identifiers import added, removed
from shared.domain.incident import BrokenHistory
from shared.eventlog.entry import Entry

_OF_INCIDENT: Kind = "problem_of_incident"


def about_problem(
    matter: RecordState | None, event: ProblemEvent, entry: Entry
) -> RecordState:
    """Return a problem after an event of its own stream."""
    if matter is None:
        if not isinstance(event, ProblemIdentified):
            raise BrokenHistory(f"{event.type} before its problem: {entry.stream}")
        dims = Dims(service=event.service, team=event.team)
        matter = RecordState(event.problem, dims)
        matter = _once(matter, "problem", event.origin, entry)
    match event:
        case ProblemIncidentLinked(incident=incident):
            return _led_to(matter, added(matter.incidents, incident), entry)
        case ProblemIdentified(incident=str(incident)):
            return _led_to(matter, (incident,), entry)
        case ProblemIdentified(origin="incident"):
            return _once(matter, _OF_INCIDENT, "", entry)
        case ProblemIncidentUnlinked(relation="problem", incident=incident):
            return _led_to(matter, removed(matter.incidents, incident), entry)
        case ProblemAssigned():
            return altered(matter, dims=altered(matter.dims, team=event.team))
        case _:
            return matter


def _led_to(
    matter: RecordState, incidents: tuple[str, ...], entry: Entry
) -> RecordState:
    """Return a problem with the incidents that led to it.

    Facts are never removed, since their rows are not: one that no longer applies is
    marked `unlinked`.
    """
    matter = altered(matter, incidents=incidents)
    was = last(matter.facts, _OF_INCIDENT)
    if was is None:
        return _once(matter, _OF_INCIDENT, "", entry)
    now = altered(was, word="" if incidents else "unlinked")
    return altered(matter, facts=changed(matter.facts, was, now))


def about_change(  # noqa: C901, PLR0911 one return an event
    matter: RecordState | None, event: ChangeEvent, entry: Entry
) -> RecordState:
    """Return a change after an event of its own stream."""
    if matter is None:
        if not isinstance(event, ChangeRequested):
            raise BrokenHistory(f"{event.type} before its change: {entry.stream}")
        dims = Dims(service=event.service, team=event.team)
        incidents = (event.incident,) if event.incident else ()
        matter = RecordState(event.change, dims, event.problem, incidents)
        return _once(matter, "change_requested", _came_of(matter), entry)
    match event:
        case ChangeIncidentLinked(relation="change", incident=incident):
            return _of_incidents(matter, added(matter.incidents, incident))
        case ChangeIncidentUnlinked(relation="change", incident=incident):
            return _of_incidents(matter, removed(matter.incidents, incident))
        case ChangeProblemLinked(problem=problem):
            return _of_incidents(altered(matter, via=problem), matter.incidents)
        case ChangeProblemUnlinked():
            return _of_incidents(altered(matter, via=None), matter.incidents)
        case ChangeAssigned():
            return altered(matter, dims=altered(matter.dims, team=event.team))
        case ChangePlanned():
            return _once(matter, "change_planned", _came_of(matter), entry)
        case ChangeCancelled():
            return _once(matter, "change_cancelled", _came_of(matter), entry)
        case _:
            return matter


def _of_incidents(matter: RecordState, incidents: tuple[str, ...]) -> RecordState:
    """Return a change with its incidents, which apply to all its facts."""
    matter = altered(matter, incidents=incidents)
    word = _came_of(matter)
    facts = tuple(altered(fact, word=word) for fact in matter.facts)
    return altered(matter, facts=facts)


def _came_of(matter: RecordState) -> str:
    if matter.incidents:
        return "incident"
    return "problem" if matter.via else "neither"


def _once(matter: RecordState, kind: Kind, word: str, entry: Entry) -> RecordState:
    if last(matter.facts, kind):
        return matter
    fact = Fact(kind, 1, entry.recorded_at, word)
    return altered(matter, facts=(*matter.facts, fact))
