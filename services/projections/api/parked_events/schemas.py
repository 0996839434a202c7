"""What is asked and answered about parked events."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints

from services.projections.api.answers import Answer
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX
from services.projections.api.parked_events.store import (
    ParkedEvent,
    ParkedStream,
    Place,
    Request,
    SkippedEvent,
    SkippedPlace,
)
from services.projections.api.query_params import TableQuery, unwanted
from shared.commands.parked_events import OUTCOMES
from shared.domain.commands.parked_event import POSITION_MAX, SERVICES, ParkedOutcome
from shared.domain.identifiers import about

Reader = Literal[
    "queue", "timeline", "metrics", "words", "sla_watcher", "escalation", "closing"
]
Service = Literal["intake", "projections", "sla_watcher", "escalation"]
Cursor = Annotated[
    str, StringConstraints(max_length=80, pattern=r"^[0-9]+\.[a-z_.0-9]+$")
]
_LAST = datetime(9999, 12, 31, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class ParkedQuery(TableQuery):
    """Which part of the list, of one reader or of all."""

    reader: Reader | None = None
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: Cursor | None = None
    """`next_cursor` of the previous page."""

    @property
    def after(self) -> Place:
        """Where the page of parked streams begins. Raises `HttpError` 422."""
        if self.cursor is None:
            return Place()
        if not (found := re.fullmatch(r"(\d{1,19})\.([a-z_]+)", self.cursor)):
            raise unwanted("cursor", "it is not a `next_cursor` of this list")
        return Place(min(int(found[1]), POSITION_MAX), found[2])

    @property
    def before(self) -> SkippedPlace:
        """Where the page of skipped events begins. Raises `HttpError` 422."""
        if self.cursor is None:
            return SkippedPlace(_LAST, "", 0)
        found = re.fullmatch(r"(\d{1,17})\.([a-z_]+)\.(\d{1,18})", self.cursor)
        if not found:
            raise unwanted("cursor", "it is not a `next_cursor` of this list")
        at = _EPOCH + int(found[1]) * _MICROSECOND
        return SkippedPlace(at, found[2], int(found[3]))


class ParkedView(Answer):
    """A stream that a reader could not apply: it has parked its events."""

    reader: Reader
    service: Service
    """The service that runs the reader."""
    stream: str
    incident: str | None
    """The incident that the stream is about; null if it is about another record."""
    position: int
    """The position of the first parked event in the log."""
    events: int
    """Number of parked events: the first one, and those that wait behind it."""
    error: str
    """Why the first event could not be applied, without personal data."""
    parked_at: AwareDatetime
    """When it was tried first."""
    attempts: int
    last_attempt_at: AwareDatetime
    last_error: str | None
    """Why the last retry failed; null if there was none."""
    requested: bool
    """Whether a retry or a skip was requested that the reader has not answered yet."""

    @classmethod
    def of(cls, stream: ParkedStream) -> Self:
        """Return the view of a parked stream."""
        return cls.model_validate(
            {
                **stream._asdict(),
                "service": SERVICES.get(stream.reader, "projections"),
                "incident": about(stream.stream),
            }
        )

    @property
    def place(self) -> str:
        """The cursor of the page behind it."""
        return f"{self.position}.{self.reader}"


class ParkedList(Answer):
    """Parked streams, in the order of the log."""

    items: list[ParkedView]
    next_cursor: str | None
    """Where the next page begins; null at the end."""


class SkippedView(Answer):
    """An event that a reader never applies."""

    reader: Reader
    stream: str
    position: int
    error: str
    parked_at: AwareDatetime
    skipped_at: AwareDatetime
    skipped_by: str
    """Who asked for it: a person, or a user of the command line."""
    reason: str

    @classmethod
    def of(cls, event: SkippedEvent) -> Self:
        """Return the view of a skipped event."""
        return cls.model_validate(event._asdict())

    @property
    def place(self) -> str:
        """The cursor of the page behind it."""
        since = (self.skipped_at - _EPOCH) // _MICROSECOND
        return f"{since}.{self.reader}.{self.position}"


class SkippedList(Answer):
    """Skipped events, the newest first."""

    items: list[SkippedView]
    next_cursor: str | None
    """Where the next page begins; null at the end."""


class ParkedEventView(Answer):
    """A parked event."""

    position: int
    error: str
    """Why it could not be applied, or that it waits behind another."""
    parked_at: AwareDatetime

    @classmethod
    def of(cls, event: ParkedEvent) -> Self:
        """Return the view of a parked event."""
        return cls.model_validate(event._asdict())


class ParkedRequestView(Answer):
    """A retry or a skip that somebody requested."""

    action: Literal["retry", "skip"]
    by: str
    requested_at: AwareDatetime
    reason: str | None
    answered_at: AwareDatetime | None
    outcome: ParkedOutcome
    """`waiting` until the reader has answered."""
    skipped: int
    applied: int
    error: str | None

    @classmethod
    def of(cls, request: Request) -> Self:
        """Return the view of a request."""
        outcome = next(
            (ours for kept, ours in OUTCOMES.items() if kept == request.outcome),
            "waiting",
        )
        return cls.model_validate({**request._asdict(), "outcome": outcome})


class ParkedStreamWhole(Answer):
    """A stream of a reader: what is parked of it, and what was requested."""

    reader: Reader
    stream: str
    parked: ParkedView | None
    """Null if nothing of it is parked any more."""
    events: list[ParkedEventView]
    """The parked events, the first ones if there are very many."""
    requests: list[ParkedRequestView]
    """The newest first."""
