"""What counts of problems and changes."""

from services.projections.metrics.life import Dims, Fact, Kind, Matter, altered, last
from shared.entry import Entry
from shared.events import ChangeEvent, ProblemEvent
from shared.events.change import ChangeCancelled, ChangePlanned, ChangeRequested
from shared.events.problem import (
    ProblemAssigned,
    ProblemIdentified,
    ProblemIncidentLinked,
)
from shared.incident import BrokenHistory


def about_problem(matter: Matter | None, event: ProblemEvent, entry: Entry) -> Matter:
    """Return a problem after an event of its own."""
    if matter is None:
        if not isinstance(event, ProblemIdentified):
            raise BrokenHistory(f"{event.type} before its problem: {entry.stream}")
        dims = Dims(service=event.service, team=event.team)
        matter = Matter(event.problem, dims)
        matter = _once(matter, "problem", event.origin, entry)
    match event:
        case ProblemIncidentLinked():
            return _once(matter, "problem_of_incident", "", entry)
        case ProblemIdentified() if event.incident or event.origin == "incident":
            return _once(matter, "problem_of_incident", "", entry)
        case ProblemAssigned():
            return altered(matter, dims=altered(matter.dims, team=event.team))
        case _:
            return matter


def about_change(matter: Matter | None, event: ChangeEvent, entry: Entry) -> Matter:
    """Return a change after an event of its own."""
    if matter is None:
        if not isinstance(event, ChangeRequested):
            raise BrokenHistory(f"{event.type} before its change: {entry.stream}")
        dims = Dims(service=event.service, team=event.team)
        matter = Matter(event.change, dims, event.problem)
        return _once(matter, "change_requested", _came_of(event), entry)
    requested = last(matter.facts, "change_requested")
    word = requested.word if requested else ""
    match event:
        case ChangePlanned():
            return _once(matter, "change_planned", word, entry)
        case ChangeCancelled():
            return _once(matter, "change_cancelled", word, entry)
        case _:
            return matter


def _came_of(event: ChangeRequested) -> str:
    if event.incident:
        return "incident"
    return "problem" if event.problem else "neither"


def _once(matter: Matter, kind: Kind, word: str, entry: Entry) -> Matter:
    if last(matter.facts, kind):
        return matter
    fact = Fact(kind, 1, entry.recorded_at, word)
    return altered(matter, facts=(*matter.facts, fact))
