"""The events that tie an incident to other records: links, merges and splits.

If two incidents change together, each stream gets an event for its own side.
"""

from typing import Annotated, Literal

from pydantic import StringConstraints

from shared.domain.events.event import Event
from shared.domain.events.incident import PersonId, SignalState
from shared.domain.events.problem import Match
from shared.domain.identifiers import IncidentRef, ProblemRef

Relation = Literal["related", "caused_by", "causes", "problem", "change", "record"]
RecordRef = Annotated[
    str,
    StringConstraints(
        pattern=r"^([A-Z][A-Z0-9]{1,9}-[A-Za-z0-9-]{1,32}"
        r"|[a-z][a-z0-9_]{0,31}/[A-Za-z0-9][A-Za-z0-9._-]{0,127})$"
    ),
]
"""An incident, a problem or a change: `PRB-1`, `CHG-2`; or an external record."""


class IncidentLinked(Event):
    """The incident was linked to `target`.

    It was `caused_by` a change or an incident, which in turn `causes` it; `problem` and
    `change` are records that resulted from it, `record` is one of another system.
    """

    type: Literal["incident.linked"] = "incident.linked"
    incident: IncidentRef
    policy: int
    relation: Relation
    target: RecordRef
    matched: Match | None = None
    """How it matched a problem; absent if a person linked it."""


class IncidentUnlinked(Event):
    """A link of the incident was removed, or a presumed problem was refuted."""

    type: Literal["incident.unlinked"] = "incident.unlinked"
    incident: IncidentRef
    policy: int
    relation: Relation
    target: RecordRef


class IncidentProblemPresumed(Event):
    """The incident breached its target; `problem` of the same service may be its cause.

    A person is to confirm this by a link, or to remove it.
    """

    type: Literal["incident.problem_presumed"] = "incident.problem_presumed"
    incident: IncidentRef
    policy: int
    problem: ProblemRef


class IncidentProblemResolved(Event):
    """`problem`, the cause of the incident, was resolved."""

    type: Literal["incident.problem_resolved"] = "incident.problem_resolved"
    incident: IncidentRef
    policy: int
    problem: ProblemRef


class IncidentMerged(Event):
    """The incident was merged into `into`: it leaves the stock, reporters are kept."""

    type: Literal["incident.merged"] = "incident.merged"
    incident: IncidentRef
    policy: int
    into: IncidentRef


class IncidentAbsorbed(Event):
    """`merged` was merged into this incident, with its signals and reporters."""

    type: Literal["incident.absorbed"] = "incident.absorbed"
    incident: IncidentRef
    policy: int
    merged: IncidentRef
    signals: dict[str, SignalState]
    reporters: tuple[PersonId, ...]


class IncidentUnmerged(Event):
    """A merge was undone: the incident re-enters the stock, with its own signals."""

    type: Literal["incident.unmerged"] = "incident.unmerged"
    incident: IncidentRef
    policy: int
    out_of: IncidentRef
    signals: dict[str, SignalState]
    """Its signal keys, with their current states."""


class IncidentReleased(Event):
    """`merged` was separated from this incident, with its signals."""

    type: Literal["incident.released"] = "incident.released"
    incident: IncidentRef
    policy: int
    merged: IncidentRef
    signal_keys: tuple[str, ...]


class IncidentSplit(Event):
    """A part of the incident was split off: `into` was opened for it."""

    type: Literal["incident.split"] = "incident.split"
    incident: IncidentRef
    policy: int
    into: IncidentRef
    signal_keys: tuple[str, ...]


IncidentTieEvent = (
    IncidentLinked
    | IncidentUnlinked
    | IncidentProblemPresumed
    | IncidentProblemResolved
    | IncidentMerged
    | IncidentAbsorbed
    | IncidentUnmerged
    | IncidentReleased
    | IncidentSplit
)
