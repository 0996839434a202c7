"""The events of a problem, the cause behind incidents.

The streams `problem-<problem>` are written only by intake.
`escalation.problem_suggested` is in the stream `escalation-<incident>` of the incident
that completed the series; it is only a suggestion, and a person decides.
"""

from typing import Literal

from shared.domain.events.event import Event, Text
from shared.domain.identifiers import ChangeRef, IncidentRef, ProblemRef

ProblemRelation = Literal["problem", "related"]
"""The relation of an incident to a problem."""
Match = Literal["signature", "service"]
"""What an incident has in common with the problem that it joined automatically."""


class ProblemIdentified(Event):
    """A problem was identified. It counts if its origin is an incident."""

    type: Literal["problem.identified"] = "problem.identified"
    problem: ProblemRef
    policy: int
    title: Text
    service: str
    team: str
    origin: Literal["incident", "staff"]
    incident: IncidentRef | None = None
    """The first incident that revealed it."""


class ProblemIncidentLinked(Event):
    """`incident` has this cause."""

    type: Literal["problem.incident_linked"] = "problem.incident_linked"
    problem: ProblemRef
    policy: int
    incident: IncidentRef
    matched: Match | None = None
    """How it matched; absent if a person linked it."""


class ProblemIncidentPresumed(Event):
    """`incident` may have this cause: it breached its target on the same service.

    A person is to confirm this by a link, or to remove it. Until then its users are
    told nothing about the problem.
    """

    type: Literal["problem.incident_presumed"] = "problem.incident_presumed"
    problem: ProblemRef
    policy: int
    incident: IncidentRef


class ProblemIncidentRelated(Event):
    """`incident` is related to the problem, without having this cause."""

    type: Literal["problem.incident_related"] = "problem.incident_related"
    problem: ProblemRef
    policy: int
    incident: IncidentRef


class ProblemIncidentUnlinked(Event):
    """The link to `incident` was removed, or the presumption was refuted."""

    type: Literal["problem.incident_unlinked"] = "problem.incident_unlinked"
    problem: ProblemRef
    policy: int
    incident: IncidentRef
    relation: ProblemRelation


class ProblemChangeLinked(Event):
    """`change` is to remove the cause."""

    type: Literal["problem.change_linked"] = "problem.change_linked"
    problem: ProblemRef
    policy: int
    change: ChangeRef


class ProblemChangeUnlinked(Event):
    """The link to `change` was removed."""

    type: Literal["problem.change_unlinked"] = "problem.change_unlinked"
    problem: ProblemRef
    policy: int
    change: ChangeRef


class ProblemAssigned(Event):
    """The problem was assigned to another team, such as the developers."""

    type: Literal["problem.assigned"] = "problem.assigned"
    problem: ProblemRef
    policy: int
    team: str
    incidents: tuple[IncidentRef, ...] = ()
    """The incidents with this cause; if there are very many, the newest."""


class ProblemWorkaroundPublished(Event):
    """A workaround was published; users of open incidents are informed."""

    type: Literal["problem.workaround_published"] = "problem.workaround_published"
    problem: ProblemRef
    policy: int
    workaround: Text


class ProblemDiagnosed(Event):
    """The cause was found; with a workaround the problem is a known error."""

    type: Literal["problem.diagnosed"] = "problem.diagnosed"
    problem: ProblemRef
    policy: int
    cause: Text


class ProblemNoteAdded(Event):
    """A note was added to a problem that is already resolved."""

    type: Literal["problem.note_added"] = "problem.note_added"
    problem: ProblemRef
    policy: int
    about: Literal["resolve"]
    note: Text


class ProblemResolved(Event):
    """The problem was resolved: the cause is removed."""

    type: Literal["problem.resolved"] = "problem.resolved"
    problem: ProblemRef
    policy: int
    note: Text | None = None


class ProblemSuggested(Event):
    """`incidents`, similar and opened within some days, may have one cause.

    The newest is this incident itself. Each incident is in at most one such series.
    """

    type: Literal["escalation.problem_suggested"] = "escalation.problem_suggested"
    incident: IncidentRef
    policy: int
    service: str
    team: str
    within_days: int
    incidents: tuple[IncidentRef, ...]


ProblemEvent = (
    ProblemIdentified
    | ProblemIncidentLinked
    | ProblemIncidentPresumed
    | ProblemIncidentRelated
    | ProblemIncidentUnlinked
    | ProblemChangeLinked
    | ProblemChangeUnlinked
    | ProblemAssigned
    | ProblemWorkaroundPublished
    | ProblemDiagnosed
    | ProblemResolved
    | ProblemNoteAdded
)
