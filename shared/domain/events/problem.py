"""What happens to a problem: the cause behind incidents.

Streams `problem-<problem>` are written by intake alone.

Incidents of one kind, too many for chance: a tip for Problem Management.

It stands in the stream `escalation-<incident>` of the one that completed the row.
Nothing is identified by it: that is what a person decides.
"""

from typing import Literal

from shared.domain.events.event import Event, Text
from shared.domain.identifiers import ChangeRef, IncidentRef, ProblemRef

ProblemRelation = Literal["problem", "related"]
"""What an incident may have to do with a problem."""
Match = Literal["signature", "service"]
"""What an incident has in common with the problem it joined by itself."""


class ProblemIdentified(Event):
    """Problem Management took a cause on record. Counts where origin is an incident."""

    type: Literal["problem.identified"] = "problem.identified"
    problem: ProblemRef
    policy: int
    title: Text
    service: str
    team: str
    origin: Literal["incident", "staff"]
    incident: IncidentRef | None = None
    """The first incident it was found by."""


class ProblemIncidentLinked(Event):
    """`incident` has this cause too."""

    type: Literal["problem.incident_linked"] = "problem.incident_linked"
    problem: ProblemRef
    policy: int
    incident: IncidentRef
    matched: Match | None = None
    """What it joined by; absent where a person linked it."""


class ProblemIncidentPresumed(Event):
    """`incident` may have this cause: it broke its promise on the same service.

    It is to be confirmed: a person links it, or takes it out. Its users are told
    nothing of the problem before.
    """

    type: Literal["problem.incident_presumed"] = "problem.incident_presumed"
    problem: ProblemRef
    policy: int
    incident: IncidentRef


class ProblemIncidentRelated(Event):
    """`incident` has to do with it, without having this cause."""

    type: Literal["problem.incident_related"] = "problem.incident_related"
    problem: ProblemRef
    policy: int
    incident: IncidentRef


class ProblemIncidentUnlinked(Event):
    """The link to `incident` was a mistake, or what was presumed is not so."""

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
    """The link to `change` was a mistake."""

    type: Literal["problem.change_unlinked"] = "problem.change_unlinked"
    problem: ProblemRef
    policy: int
    change: ChangeRef


class ProblemAssigned(Event):
    """Another team looks for the cause, such as the developers."""

    type: Literal["problem.assigned"] = "problem.assigned"
    problem: ProblemRef
    policy: int
    team: str
    incidents: tuple[IncidentRef, ...] = ()
    """Those with this cause that it was given with; of very many, the newest."""


class ProblemWorkaroundPublished(Event):
    """What helps until the cause is gone; users of open incidents hear of it."""

    type: Literal["problem.workaround_published"] = "problem.workaround_published"
    problem: ProblemRef
    policy: int
    workaround: Text


class ProblemDiagnosed(Event):
    """The cause is known; with a workaround this makes it a known error."""

    type: Literal["problem.diagnosed"] = "problem.diagnosed"
    problem: ProblemRef
    policy: int
    cause: Text


class ProblemNoteAdded(Event):
    """Somebody said more about what is so already: it is resolved."""

    type: Literal["problem.note_added"] = "problem.note_added"
    problem: ProblemRef
    policy: int
    about: Literal["resolve"]
    note: Text


class ProblemResolved(Event):
    """The cause is gone."""

    type: Literal["problem.resolved"] = "problem.resolved"
    problem: ProblemRef
    policy: int
    note: Text | None = None


class ProblemSuggested(Event):
    """`incidents`, all of one kind and opened within so many days, may have one cause.

    The newest is this incident itself. Each incident is in one such row at most.
    """

    type: Literal["escalation.problem_suggested"] = "escalation.problem_suggested"
    incident: IncidentRef
    policy: int
    service: str
    team: str
    within_days: int
    incidents: tuple[IncidentRef, ...]
