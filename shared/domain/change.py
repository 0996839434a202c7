"""The state of a change, computed from the events of its stream; no rules."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from shared.domain import events
from shared.domain.identifiers import ChangeRef, IncidentRef, ProblemRef, added, removed
from shared.domain.incident import BrokenHistory


class Status(StrEnum):
    """How far a change has progressed."""

    REQUESTED = "requested"
    PLANNED = "planned"
    IMPLEMENTED = "implemented"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Change:
    """A change after some of its events."""

    ref: ChangeRef
    status: Status
    title: str
    service: str
    team: str
    problem: ProblemRef | None
    requested_at: datetime
    planned_for: datetime | None = None
    implemented_at: datetime | None = None
    cancelled_at: datetime | None = None
    incidents: tuple[IncidentRef, ...] = ()
    """The incidents that led to it, in the order in which they were linked."""
    caused: tuple[IncidentRef, ...] = ()
    """Incidents that it caused."""
    related: tuple[IncidentRef, ...] = ()
    """Incidents related to it in another way."""
    said: frozenset[tuple[str, str]] = frozenset()
    """The notes recorded when it was implemented or cancelled, each with its verb."""

    @property
    def incident(self) -> IncidentRef | None:
        """The first incident that led to it."""
        return self.incidents[0] if self.incidents else None

    @property
    def links(self) -> frozenset[tuple[events.ChangeRelation, IncidentRef]]:
        """Its side of every link to an incident: relation and reference."""
        return frozenset(
            [
                *(("change", each) for each in self.incidents),
                *(("caused_by", each) for each in self.caused),
                *(("related", each) for each in self.related),
            ]
        )


def replay(history: Iterable[events.ChangeEvent]) -> Change | None:
    """Return the change after `history`, or None without events."""
    change = None
    for event in history:
        change = evolve(change, event)
    return change


def evolve(  # noqa: C901, PLR0911, PLR0912 # one branch for each event
    change: Change | None, event: events.ChangeEvent
) -> Change:
    """Return the change after `event`. Never rejects a recorded event.

    Raises `BrokenHistory` if the request is not the first event, or not the only one.
    """
    if isinstance(event, events.ChangeRequested):
        if change is not None:
            raise BrokenHistory(f"{event.change} was requested twice")
        return _requested(event)
    if change is None:
        raise BrokenHistory(f"{event.type} before {event.change} was requested")
    match event:
        case events.ChangeIncidentLinked(relation=relation, incident=incident):
            return _with(change, relation, lambda refs: added(refs, incident))
        case events.ChangeIncidentUnlinked(relation=relation, incident=incident):
            return _with(change, relation, lambda refs: removed(refs, incident))
        case events.ChangeProblemLinked(problem=problem):
            return replace(change, problem=problem)
        case events.ChangeProblemUnlinked():
            return replace(change, problem=None)
        case events.ChangeAssigned(team=team):
            return replace(change, team=team)
        case events.ChangePlanned(planned_for=instant):
            return replace(change, status=Status.PLANNED, planned_for=instant)
        case events.ChangeImplemented():
            made = replace(change, status=Status.IMPLEMENTED, implemented_at=event.at)
            return _saying(made, "implement", event.note)
        case events.ChangeCancelled():
            over = replace(change, status=Status.CANCELLED, cancelled_at=event.at)
            return _saying(over, "cancel", event.reason)
        case events.ChangeNoteAdded():
            return _saying(change, event.about, event.note)
        case _:
            assert_never(event)


def _saying(change: Change, verb: str, words: str | None) -> Change:
    return replace(change, said=change.said | {(verb, words)}) if words else change


def _requested(event: events.ChangeRequested) -> Change:
    return Change(
        ref=event.change,
        status=Status.REQUESTED,
        title=event.title,
        service=event.service,
        team=event.team,
        incidents=(event.incident,) if event.incident else (),
        problem=event.problem,
        requested_at=event.at,
    )


def _with(
    change: Change,
    relation: events.ChangeRelation,
    of: Callable[[tuple[str, ...]], tuple[str, ...]],
) -> Change:
    """Return the change with `of` applied to the links of one relation."""
    match relation:
        case "change":
            return replace(change, incidents=of(change.incidents))
        case "caused_by":
            return replace(change, caused=of(change.caused))
        case "related":
            return replace(change, related=of(change.related))
        case _:
            assert_never(relation)


__all__ = ["Change", "Status", "evolve", "replay"]
