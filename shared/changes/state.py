"""What a change is: the state that the events of its stream add up to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.events.change import ChangeRelation
from shared.references import ChangeRef, IncidentRef, ProblemRef


class Status(StrEnum):
    """How far it is."""

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
    """Those it came of, in the order in which that was found."""
    caused: tuple[IncidentRef, ...] = ()
    """Incidents that it caused."""
    related: tuple[IncidentRef, ...] = ()
    """Incidents that otherwise have to do with it."""
    said: frozenset[tuple[str, str]] = frozenset()
    """The words that came with making or cancelling it, each with its verb."""

    @property
    def incident(self) -> IncidentRef | None:
        """The first incident it came of."""
        return self.incidents[0] if self.incidents else None

    @property
    def links(self) -> frozenset[tuple[ChangeRelation, IncidentRef]]:
        """Its side of every link to an incident: how, and to which."""
        return frozenset(
            [
                *(("change", each) for each in self.incidents),
                *(("caused_by", each) for each in self.caused),
                *(("related", each) for each in self.related),
            ]
        )
