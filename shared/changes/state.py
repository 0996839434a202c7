"""What a change is: the state that the events of its stream add up to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
    incident: IncidentRef | None
    problem: ProblemRef | None
    requested_at: datetime
    planned_for: datetime | None = None
    implemented_at: datetime | None = None
    cancelled_at: datetime | None = None
