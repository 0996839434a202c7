"""The state of a problem, computed from the events of its stream; no rules.

A problem is the cause behind incidents. This is unrelated to the problem details of RFC
9457 in `shared.http.problem_details`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal, assert_never

from shared.domain import events
from shared.domain.identifiers import ChangeRef, IncidentRef, ProblemRef, added, removed
from shared.domain.incident import BrokenHistory


class Status(StrEnum):
    """Whether the cause still exists."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Problem:
    """A problem after some of its events."""

    ref: ProblemRef
    status: Status
    title: str
    service: str
    team: str
    origin: Literal["incident", "staff"]
    incidents: tuple[IncidentRef, ...]
    """The incidents with this cause, in the order in which they were linked."""
    identified_at: datetime
    workaround: str | None = None
    """What helps until the cause is removed."""
    resolved_at: datetime | None = None
    cause: str | None = None
    """The cause, once it is known."""
    related: tuple[IncidentRef, ...] = ()
    """Incidents related to it without having this cause."""
    presumed: tuple[IncidentRef, ...] = ()
    """Incidents that may have this cause, not yet confirmed."""
    changes: tuple[ChangeRef, ...] = ()
    """Changes that are to remove the cause."""
    said: frozenset[tuple[str, str]] = frozenset()
    """The notes recorded when it was resolved, each with its verb."""

    @property
    def known_error(self) -> bool:
        """Whether the cause and a workaround are known while it still exists."""
        is_open = self.status is Status.OPEN
        return is_open and self.cause is not None and self.workaround is not None

    @property
    def links(self) -> frozenset[tuple[events.ProblemRelation, IncidentRef]]:
        """Its side of every link to an incident: relation and reference."""
        return frozenset(
            [
                *(("problem", each) for each in self.incidents),
                *(("related", each) for each in self.related),
            ]
        )


def replay(history: Iterable[events.ProblemEvent]) -> Problem | None:
    """Return the problem after `history`, or None without events."""
    problem = None
    for event in history:
        problem = evolve(problem, event)
    return problem


def evolve(  # noqa: PLR0911 # one branch for each event
    problem: Problem | None, event: events.ProblemEvent
) -> Problem:
    """Return the problem after `event`. Never rejects a recorded event.

    Raises `BrokenHistory` if the identification is not the first event, or not the only
    one.
    """
    if isinstance(event, events.ProblemIdentified):
        if problem is not None:
            raise BrokenHistory(f"{event.problem} was identified twice")
        return _identified(event)
    if problem is None:
        raise BrokenHistory(f"{event.type} before {event.problem} was identified")
    match event:
        case (
            events.ProblemIncidentLinked()
            | events.ProblemIncidentPresumed()
            | events.ProblemIncidentRelated()
            | events.ProblemIncidentUnlinked()
            | events.ProblemChangeLinked()
            | events.ProblemChangeUnlinked()
        ):
            return _linked(problem, event)
        case events.ProblemAssigned():
            return replace(problem, team=event.team)
        case events.ProblemWorkaroundPublished():
            return replace(problem, workaround=event.workaround)
        case events.ProblemDiagnosed():
            return replace(problem, cause=event.cause)
        case events.ProblemResolved():
            resolved = replace(problem, status=Status.RESOLVED, resolved_at=event.at)
            return _saying(resolved, "resolve", event.note)
        case events.ProblemNoteAdded():
            return _saying(problem, event.about, event.note)
        case _:
            assert_never(event)


def _saying(problem: Problem, verb: str, words: str | None) -> Problem:
    return replace(problem, said=problem.said | {(verb, words)}) if words else problem


def _identified(event: events.ProblemIdentified) -> Problem:
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


def _linked(  # noqa: PLR0911 # one return for each event
    problem: Problem,
    event: events.ProblemIncidentLinked
    | events.ProblemIncidentPresumed
    | events.ProblemIncidentRelated
    | events.ProblemIncidentUnlinked
    | events.ProblemChangeLinked
    | events.ProblemChangeUnlinked,
) -> Problem:
    match event:
        case events.ProblemIncidentLinked(incident=incident):
            return replace(
                problem,
                incidents=added(problem.incidents, incident),
                presumed=removed(problem.presumed, incident),
            )
        case events.ProblemIncidentPresumed(incident=incident):
            return replace(problem, presumed=added(problem.presumed, incident))
        case events.ProblemIncidentRelated(incident=incident):
            return replace(problem, related=added(problem.related, incident))
        case events.ProblemIncidentUnlinked(relation="problem", incident=incident):
            return replace(
                problem,
                incidents=removed(problem.incidents, incident),
                presumed=removed(problem.presumed, incident),
            )
        case events.ProblemIncidentUnlinked(incident=incident):
            return replace(problem, related=removed(problem.related, incident))
        case events.ProblemChangeLinked(change=change):
            return replace(problem, changes=added(problem.changes, change))
        case events.ProblemChangeUnlinked(change=change):
            return replace(problem, changes=removed(problem.changes, change))
        case _:
            assert_never(event)


__all__ = ["Problem", "Status", "evolve", "replay"]
