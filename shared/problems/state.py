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
    cause: str | None = None
    """What the cause is, once that is known."""
    related: tuple[IncidentRef, ...] = ()
    """Incidents that have to do with it, without having this cause."""
    presumed: tuple[IncidentRef, ...] = ()
    """Incidents that may have this cause, which nobody has confirmed."""
    changes: tuple[ChangeRef, ...] = ()
    """Changes that are to remove the cause."""
    said: frozenset[tuple[str, str]] = frozenset()
    """The words that came with resolving it, each with its verb."""

    @property
    def known_error(self) -> bool:
        """Whether the cause and a workaround are known while it is still there."""
        is_open = self.status is Status.OPEN
        return is_open and self.cause is not None and self.workaround is not None

    @property
    def links(self) -> frozenset[tuple[ProblemRelation, IncidentRef]]:
        """Its side of every link to an incident: how, and to which."""
        return frozenset(
            [
                *(("problem", each) for each in self.incidents),
                *(("related", each) for each in self.related),
            ]
        )
