"""What ties an incident to other records: links, merging and splitting.

Two streams change together when two incidents do: each has the event of its own side.
"""

from typing import Annotated, Literal

from pydantic import StringConstraints

from shared.domain.events.event import Event
from shared.domain.events.incident import PersonId, SignalState
from shared.domain.events.problem import Match
from shared.domain.identifiers import IncidentRef, ProblemRef

Relation = Literal["related", "caused_by", "causes", "problem", "change"]
RecordRef = Annotated[
    str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,9}-[A-Za-z0-9-]{1,32}$")
]
"""An incident, or a record kept elsewhere: `PRB-1`, `CHG-2`."""


class IncidentLinked(Event):
    """The incident has to do with `target`.

    `caused_by` a change or an incident, which in turn `causes` it; `problem` and
    `change` are what came of it.
    """

    type: Literal["incident.linked"] = "incident.linked"
    incident: IncidentRef
    policy: int
    relation: Relation
    target: RecordRef
    matched: Match | None = None
    """What it joined a problem by; absent where a person linked it."""


class IncidentUnlinked(Event):
    """A link was a mistake, or the problem it was presumed to have is another."""

    type: Literal["incident.unlinked"] = "incident.unlinked"
    incident: IncidentRef
    policy: int
    relation: Relation
    target: RecordRef


class IncidentProblemPresumed(Event):
    """It broke its promise on the service of `problem`, which may be its cause.

    A person is to confirm it, by a link, or to take it back.
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
    """It is the same trouble as `into`: it leaves the stock, its people do not."""

    type: Literal["incident.merged"] = "incident.merged"
    incident: IncidentRef
    policy: int
    into: IncidentRef


class IncidentAbsorbed(Event):
    """`merged` came into this incident, with its signals and its people."""

    type: Literal["incident.absorbed"] = "incident.absorbed"
    incident: IncidentRef
    policy: int
    merged: IncidentRef
    signals: dict[str, SignalState]
    reporters: tuple[PersonId, ...]


class IncidentUnmerged(Event):
    """Merging was a mistake: it is back in the stock, with what is its own."""

    type: Literal["incident.unmerged"] = "incident.unmerged"
    incident: IncidentRef
    policy: int
    out_of: IncidentRef
    signals: dict[str, SignalState]
    """Its keys, as they stand now."""


class IncidentReleased(Event):
    """`merged` left this incident again, and took its signals with it."""

    type: Literal["incident.released"] = "incident.released"
    incident: IncidentRef
    policy: int
    merged: IncidentRef
    signal_keys: tuple[str, ...]


class IncidentSplit(Event):
    """Part of the trouble is another one: `into` was opened for it."""

    type: Literal["incident.split"] = "incident.split"
    incident: IncidentRef
    policy: int
    into: IncidentRef
    signal_keys: tuple[str, ...]
