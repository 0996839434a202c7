"""What is asked and answered about external records."""

from typing import Annotated, Self

from pydantic import AwareDatetime, Field

from services.projections.api.answers import Answer
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX
from services.projections.api.query_params import InstantQuery, TableQuery, Words
from services.projections.external_records import VersionedExternalRecord
from services.projections.generations import AsOf
from services.projections.queue.row import QueueRow
from shared.domain.events.event import Actor
from shared.domain.identifiers import (
    ExternalId,
    ExternalRef,
    ExternalType,
    IncidentRef,
)
from shared.domain.incident import Status
from shared.domain.policy.priorities import Priority


class ExternalRecordsQuery(TableQuery):
    """Which part of the list."""

    type: ExternalType | None = None
    """Only records of this type."""
    q: Words | None = None
    """Only records with all these words in name, address, id or attributes: the first
    `limit` of them, without further pages."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: ExternalRef | None = None
    """`next_cursor` of the previous page: the last reference on it."""


class ExternalIncidentsQuery(TableQuery):
    """Which part of the list."""

    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: IncidentRef | None = None
    """`next_cursor` of the previous page: the last reference on it."""


class ExternalRecordQuery(InstantQuery):
    """As of when the record is shown."""


class ExternalRecordView(Answer):
    """A record of another system. `version` is its `ETag`, and for `If-Match`."""

    ref: ExternalRef
    """Type and id, as an incident is linked to it."""
    type: ExternalType
    id: ExternalId
    version: int
    name: str
    url: str | None
    """Its page in the other system."""
    state: str | None
    """Its state there, in the words of the other system."""
    attributes: dict[str, str]
    put_at: AwareDatetime
    """When the other system last told something new."""
    put_by: Actor
    """Who told it."""
    as_of: AsOf

    @classmethod
    def of(cls, seen: VersionedExternalRecord, upto: AsOf) -> Self:
        """Return the view of a record at a version, as known at `upto`."""
        type_, _, id_ = seen.record.ref.partition("/")
        known = {"type": type_, "id": id_, "version": seen.version, "as_of": upto}
        return cls.model_validate({**seen.record.__dict__, **known})


class ExternalRecordList(Answer):
    """Some external records, by type and id."""

    items: list[ExternalRecordView]
    next_cursor: str | None
    """Where the next page begins; null at the end."""
    as_of: AsOf


class ExternalIncident(Answer):
    """An incident that is linked to the record."""

    ref: IncidentRef
    title: str
    status: Status
    priority: Priority
    service: str
    client: str | None
    opened_at: AwareDatetime
    ended_at: AwareDatetime | None

    @classmethod
    def of(cls, row: QueueRow) -> Self:
        """Return the view of an incident as the queues show it."""
        return cls.model_validate(
            {name: getattr(row, name) for name in cls.model_fields}
        )


class ExternalIncidents(Answer):
    """Some incidents of a record: open ones first, the newest of each first."""

    items: list[ExternalIncident]
    next_cursor: str | None
    """Where the next page begins; null at the end."""
    as_of: AsOf
