"""The events of a change that results from an incident or a problem.

The streams `change-<change>` are written only by intake.
"""

from typing import Literal

from pydantic import AwareDatetime

from shared.domain.events.event import Event, Text
from shared.domain.identifiers import ChangeRef, IncidentRef, ProblemRef

ChangeRelation = Literal["change", "caused_by", "related"]
"""The relation of an incident to a change: it led to it, or was caused by it."""


class ChangeRequested(Event):
    """A change was requested, for an incident, for a problem or on its own."""

    type: Literal["change.requested"] = "change.requested"
    change: ChangeRef
    policy: int
    title: Text
    team: str
    service: str
    incident: IncidentRef | None = None
    problem: ProblemRef | None = None


class ChangeIncidentLinked(Event):
    """The change was linked to `incident`: its reason, its effect, or related."""

    type: Literal["change.incident_linked"] = "change.incident_linked"
    change: ChangeRef
    policy: int
    incident: IncidentRef
    relation: ChangeRelation


class ChangeIncidentUnlinked(Event):
    """The link to `incident` was removed."""

    type: Literal["change.incident_unlinked"] = "change.incident_unlinked"
    change: ChangeRef
    policy: int
    incident: IncidentRef
    relation: ChangeRelation


class ChangeProblemLinked(Event):
    """The change is to remove the cause of `problem`."""

    type: Literal["change.problem_linked"] = "change.problem_linked"
    change: ChangeRef
    policy: int
    problem: ProblemRef


class ChangeProblemUnlinked(Event):
    """The link to `problem` was removed."""

    type: Literal["change.problem_unlinked"] = "change.problem_unlinked"
    change: ChangeRef
    policy: int
    problem: ProblemRef


class ChangeAssigned(Event):
    """The change was assigned to another team, such as the developers."""

    type: Literal["change.assigned"] = "change.assigned"
    change: ChangeRef
    policy: int
    team: str
    incidents: tuple[IncidentRef, ...] = ()
    """The incidents that led to it; if there are very many, the newest."""


class ChangePlanned(Event):
    """A time was planned for the change. The first planning counts."""

    type: Literal["change.planned"] = "change.planned"
    change: ChangeRef
    policy: int
    planned_for: AwareDatetime


class ChangeImplemented(Event):
    """The change was implemented."""

    type: Literal["change.implemented"] = "change.implemented"
    change: ChangeRef
    policy: int
    note: Text | None = None


class ChangeNoteAdded(Event):
    """A note was added to a change that is already implemented or cancelled."""

    type: Literal["change.note_added"] = "change.note_added"
    change: ChangeRef
    policy: int
    about: Literal["implement", "cancel"]
    note: Text


class ChangeCancelled(Event):
    """The change was cancelled."""

    type: Literal["change.cancelled"] = "change.cancelled"
    change: ChangeRef
    policy: int
    reason: Text


ChangeEvent = (
    ChangeRequested
    | ChangeIncidentLinked
    | ChangeIncidentUnlinked
    | ChangeProblemLinked
    | ChangeProblemUnlinked
    | ChangeAssigned
    | ChangePlanned
    | ChangeImplemented
    | ChangeCancelled
    | ChangeNoteAdded
)
