"""What each event makes of a problem. Meaning only, no rule."""

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from shared.events import ProblemEvent
from shared.events.problem import (
    ProblemAssigned,
    ProblemChangeLinked,
    ProblemChangeUnlinked,
    ProblemDiagnosed,
    ProblemIdentified,
    ProblemIncidentLinked,
    ProblemIncidentPresumed,
    ProblemIncidentRelated,
    ProblemIncidentUnlinked,
    ProblemNoteAdded,
    ProblemResolved,
    ProblemWorkaroundPublished,
)
from shared.incident import BrokenHistory
from shared.links import added, removed
from shared.problems.state import Problem, Status


def replay(history: Iterable[ProblemEvent]) -> Problem | None:
    """Return the problem after `history`, None if nothing happened yet."""
    problem = None
    for event in history:
        problem = evolve(problem, event)
    return problem


def evolve(  # noqa: C901, PLR0911 one branch an event
    problem: Problem | None, event: ProblemEvent
) -> Problem:
    """Return the problem after `event`. Never refuses what has happened.

    Raises `BrokenHistory` where its beginning is not the first event, or not the only.
    """
    if isinstance(event, ProblemIdentified):
        if problem is not None:
            raise BrokenHistory(f"{event.problem} was identified twice")
        return _identified(event)
    if problem is None:
        raise BrokenHistory(f"{event.type} before {event.problem} was identified")
    match event:
        case (
            ProblemIncidentLinked()
            | ProblemIncidentPresumed()
            | ProblemIncidentRelated()
            | ProblemIncidentUnlinked()
            | ProblemChangeLinked()
            | ProblemChangeUnlinked()
        ):
            return _linked(problem, event)
        case ProblemAssigned():
            return replace(problem, team=event.team)
        case ProblemWorkaroundPublished():
            return replace(problem, workaround=event.workaround)
        case ProblemDiagnosed():
            return replace(problem, cause=event.cause)
        case ProblemResolved():
            resolved = replace(problem, status=Status.RESOLVED, resolved_at=event.at)
            return _saying(resolved, "resolve", event.note)
        case ProblemNoteAdded():
            return _saying(problem, event.about, event.note)
        case _:
            assert_never(event)


def _saying(problem: Problem, verb: str, words: str | None) -> Problem:
    return replace(problem, said=problem.said | {(verb, words)}) if words else problem


def _identified(event: ProblemIdentified) -> Problem:
    return Problem(
        ref=event.problem,
        status=Status.OPEN,
        title=event.title,
        service=event.service,
        team=event.team,
        origin=event.origin,
        incidents=(event.incident,) if event.incident else (),
        identified_at=event.at,
    )


def _linked(  # noqa: PLR0911 one return an event
    problem: Problem,
    event: ProblemIncidentLinked
    | ProblemIncidentPresumed
    | ProblemIncidentRelated
    | ProblemIncidentUnlinked
    | ProblemChangeLinked
    | ProblemChangeUnlinked,
) -> Problem:
    match event:
        case ProblemIncidentLinked(incident=incident):
            return replace(
                problem,
                incidents=added(problem.incidents, incident),
                presumed=removed(problem.presumed, incident),
            )
        case ProblemIncidentPresumed(incident=incident):
            return replace(problem, presumed=added(problem.presumed, incident))
        case ProblemIncidentRelated(incident=incident):
            return replace(problem, related=added(problem.related, incident))
        case ProblemIncidentUnlinked(relation="problem", incident=incident):
            return replace(
                problem,
                incidents=removed(problem.incidents, incident),
                presumed=removed(problem.presumed, incident),
            )
        case ProblemIncidentUnlinked(incident=incident):
            return replace(problem, related=removed(problem.related, incident))
        case ProblemChangeLinked(change=change):
            return replace(problem, changes=added(problem.changes, change))
        case ProblemChangeUnlinked(change=change):
            return replace(problem, changes=removed(problem.changes, change))
        case _:
            assert_never(event)
