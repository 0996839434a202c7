"""What happens to a change that came of an incident or a problem.

Streams `change-<change>` are written by intake alone.
"""

from typing import Literal

from pydantic import AwareDatetime

from shared.domain.events.event import Event, Text
from shared.domain.identifiers import ChangeRef, IncidentRef, ProblemRef

ChangeRelation = Literal["change", "caused_by", "related"]
"""What an incident may have to do with a change: it led to it, or came of it."""


class ChangeRequested(Event):
    """Something is to be changed, because of an incident, a problem or neither."""

    type: Literal["change.requested"] = "change.requested"
    change: ChangeRef
    policy: int
    title: Text
    team: str
    service: str
    incident: IncidentRef | None = None
    problem: ProblemRef | None = None


class ChangeIncidentLinked(Event):
    """`incident` has to do with it: led to it, was caused by it, or is related."""

    type: Literal["change.incident_linked"] = "change.incident_linked"
    change: ChangeRef
    policy: int
    incident: IncidentRef
    relation: ChangeRelation


class ChangeIncidentUnlinked(Event):
    """The link to `incident` was a mistake."""

    type: Literal["change.incident_unlinked"] = "change.incident_unlinked"
    change: ChangeRef
    policy: int
    incident: IncidentRef
    relation: ChangeRelation


class ChangeProblemLinked(Event):
    """It is to remove the cause that `problem` is about."""

    type: Literal["change.problem_linked"] = "change.problem_linked"
    change: ChangeRef
    policy: int
    problem: ProblemRef


class ChangeProblemUnlinked(Event):
    """The link to `problem` was a mistake."""

    type: Literal["change.problem_unlinked"] = "change.problem_unlinked"
    change: ChangeRef
    policy: int
    problem: ProblemRef


class ChangeAssigned(Event):
    """Another team is to make it, such as the developers."""

    type: Literal["change.assigned"] = "change.assigned"
    change: ChangeRef
    policy: int
    team: str
    incidents: tuple[IncidentRef, ...] = ()
    """Those it came of that it was given with; of very many, the newest."""


class ChangePlanned(Event):
    """It has an instant. The first planning counts."""

    type: Literal["change.planned"] = "change.planned"
    change: ChangeRef
    policy: int
    planned_for: AwareDatetime


class ChangeImplemented(Event):
    """It was made."""

    type: Literal["change.implemented"] = "change.implemented"
    change: ChangeRef
    policy: int
    note: Text | None = None


class ChangeNoteAdded(Event):
    """Somebody said more about what is so already: it is made, or cancelled."""

    type: Literal["change.note_added"] = "change.note_added"
    change: ChangeRef
    policy: int
    about: Literal["implement", "cancel"]
    note: Text


class ChangeCancelled(Event):
    """It will not be made."""

    type: Literal["change.cancelled"] = "change.cancelled"
    change: ChangeRef
    policy: int
    reason: Text
