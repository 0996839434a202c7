"""What is asked and answered about problems and changes."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field

from services.projections.api.answers import Answer
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX
from services.projections.api.query_params import InstantQuery, Name, TableQuery
from services.projections.api.records.handovers import ServiceHandoverView
from services.projections.api.records.solutions import NoteView
from services.projections.generations import AsOf
from services.projections.handovers import Handover
from services.projections.records import VersionedRecord
from services.projections.solutions import Solution
from shared.domain import change, problem
from shared.domain.change import Change
from shared.domain.events.incident_ties import Relation
from shared.domain.identifiers import ChangeRef, IncidentRef, ProblemRef
from shared.domain.incident import Status
from shared.domain.policy.priorities import Priority
from shared.domain.problem import Problem


class RecordsQuery(TableQuery):
    """Which part of a list; each kind of record says which references are cursors."""

    status: Literal["open", "all"] = "all"
    """`open`: only records that have not ended."""
    team: Name | None = None
    """Only records of this team."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: str | None = None
    """`next_cursor` of the previous page: the last reference on it."""


class ProblemsQuery(RecordsQuery):
    """Which part of the list of problems."""

    cursor: ProblemRef | None = None
    """`next_cursor` of the previous page: the last reference on it."""


class ChangesQuery(RecordsQuery):
    """Which part of the list of changes."""

    cursor: ChangeRef | None = None
    """`next_cursor` of the previous page: the last reference on it."""


class IncidentsQuery(InstantQuery, TableQuery):
    """Which part of the list."""

    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: IncidentRef | None = None
    """`next_cursor` of the previous page: the last reference on it."""


class ProblemView(Answer):
    """A problem. Send `version` as `If-Match`; it is also the `ETag`."""

    ref: ProblemRef
    version: int
    status: problem.Status
    title: str
    service: str
    team: str
    origin: Literal["incident", "staff"]
    incidents: list[IncidentRef]
    """Incidents with this cause, in the order in which they were linked."""
    related: list[IncidentRef]
    """Related incidents that do not have this cause."""
    presumed: list[IncidentRef]
    """Incidents matched only by their service; a person has to confirm them."""
    changes: list[ChangeRef]
    """Changes requested to remove the cause."""
    services: list[ServiceHandoverView]
    """Services that used up their budget and were handed over to it."""
    identified_at: AwareDatetime
    workaround: str | None
    cause: str | None
    """The cause, once known."""
    solutions: list[NoteView]
    """Solution notes of its incidents, for N1; the newest first, at most 20."""
    known_error: bool
    """Whether cause and workaround are known while the cause still exists."""
    resolved_at: AwareDatetime | None

    as_of: AsOf

    @classmethod
    def of(
        cls,
        seen: VersionedRecord[Problem],
        upto: AsOf,
        services: Sequence[Handover],
        solutions: Sequence[Solution],
    ) -> Self:
        """Return the view of a problem at a version, as known at `upto`."""
        known = {
            "version": seen.version,
            "known_error": seen.record.known_error,
            "as_of": upto,
            "services": [ServiceHandoverView.of(each) for each in services],
            "solutions": solutions,
        }
        return cls.model_validate({**seen.record.__dict__, **known})


class ProblemList(Answer):
    """Some problems, the newest first."""

    items: list[ProblemView]
    next_cursor: str | None
    """Where the next page begins; null at the end."""
    as_of: AsOf


class ChangeView(Answer):
    """A change. Send `version` as `If-Match`; it is also the `ETag`."""

    ref: ChangeRef
    version: int
    status: change.Status
    title: str
    service: str
    team: str
    incident: IncidentRef | None
    """The first incident that led to it."""
    incidents: list[IncidentRef]
    """The incidents that led to it, in the order in which they were linked."""
    caused: list[IncidentRef]
    """Incidents that it caused."""
    related: list[IncidentRef]
    """Other related incidents."""
    problem: ProblemRef | None
    """The problem it is meant to solve."""
    requested_at: AwareDatetime
    planned_for: AwareDatetime | None
    implemented_at: AwareDatetime | None
    cancelled_at: AwareDatetime | None

    as_of: AsOf

    @classmethod
    def of(cls, seen: VersionedRecord[Change], upto: AsOf) -> Self:
        """Return the view of a change at a version, as known at `upto`."""
        known = {
            "version": seen.version,
            "as_of": upto,
            "incident": seen.record.incident,
        }
        return cls.model_validate({**seen.record.__dict__, **known})


class ChangeList(Answer):
    """Some changes, the newest first."""

    items: list[ChangeView]
    next_cursor: str | None
    """Where the next page begins; null at the end."""
    as_of: AsOf


class LinkedIncident(Answer):
    """An incident, and how it is linked to the record."""

    ref: IncidentRef
    relation: Relation
    via: ProblemRef | None
    """The problem that links the incident to a change."""
    to_be_confirmed: bool
    """Whether it was matched only by its service and is not confirmed."""
    title: str
    status: Status
    priority: Priority
    service: str
    client: str | None
    opened_at: AwareDatetime
    restored_at: AwareDatetime | None
    resolved_at: AwareDatetime | None


class LinkedIncidents(Answer):
    """Some incidents of a record, the oldest first."""

    items: list[LinkedIncident]
    next_cursor: str | None
    """Where the next page begins; null at the end."""
    as_of: AsOf
