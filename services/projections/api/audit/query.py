"""What requests of auditors name: a period, a kind, an actor."""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from services.projections.api.query_params import (
    DayOrInstant,
    QueryParams,
    TableQuery,
    ZoneName,
    instant_of,
    require_order,
)
from services.projections.audit.entries import Only, Span, span_of
from services.projections.log_queries import desk_zone
from shared.database.cursors import Cursors
from shared.domain.events.event import Actor
from shared.domain.identifiers import IncidentRef
from shared.eventlog.log import NEWEST, EventLog
from shared.i18n.catalog import Language


class PeriodParams(QueryParams):
    """A period of the log."""

    from_: Annotated[DayOrInstant, Field(alias="from")]
    """The start, inclusive: a day of the zone such as `2025-06-01`, or an instant."""
    to: DayOrInstant
    """The end, exclusive: `2025-07-01` for all of June."""
    zone: ZoneName | None = None
    """The time zone of the days, such as `Europe/Paris`. Default: the desk's zone."""

    def span(self, log: EventLog, cursor: Cursors, upto: int = NEWEST) -> Span:
        """Return the positions of the period; `HttpError` 422 if it is empty."""
        zone = ZoneInfo(self.zone or desk_zone(log, cursor))
        start, end = instant_of(self.from_, zone), instant_of(self.to, zone)
        require_order(("from", "to"), start, end)
        return span_of(cursor, start, end, upto)


class ActorParams(PeriodParams):
    """A period, and who acted in it, or on which incident."""

    actor: Actor | None = None
    """Only what this actor did: `person:costa`."""
    incident: IncidentRef | None = None
    """Only what is about this incident."""

    @property
    def only(self) -> Only:
        """The limits of a list."""
        return Only(self.actor, self.incident)


Cursor = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z:.+~_-]{1,120}$")]


class InWords(QueryParams):
    """The language of sentences."""

    lang: Language | None = None
    """The language of the sentences. Default: the first choice of `Accept-Language`."""


class SummaryQuery(TableQuery, ActorParams):
    """Which period is counted."""


class EntriesQuery(TableQuery, ActorParams, InWords):
    """Which entries of a kind."""
