"""What a problem is: the state that the events of its stream add up to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from shared.events.problem import ProblemRelation
from shared.references import ChangeRef, IncidentRef, ProblemRef


class Status(StrEnum):
    """Whether the cause is still there."""

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
    """Those that have this cause, in the order in which that was found."""
    identified_at: datetime
    workaround: str | None = None
    """What helps until the cause is gone."""
    resolved_at: datetime | None = None
    related: tuple[IncidentRef, ...] = ()
    """Incidents that have to do with it, without having this cause."""
    changes: tuple[ChangeRef, ...] = ()
    """Changes that were requested to remove the cause."""

    @property
    def links(self) -> frozenset[tuple[ProblemRelation, IncidentRef]]:
        """Its side of every link to an incident: how, and to which."""
        return frozenset(
            [
                *(("problem", each) for each in self.incidents),
                *(("related", each) for each in self.related),
            ]
        )
