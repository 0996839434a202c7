"""What answers show of reviews: sections, facts, figures, actions, editions."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from services.projections.api.answers import Answer
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX
from services.projections.api.query_params import InstantQuery, TableQuery, ZoneName
from services.projections.generations import AsOf
from shared.domain.events.review import ReviewCause
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import Person
from shared.domain.policy.reviews import Shown
from shared.domain.policy.targets import ReportKind
from shared.domain.review.state import ReviewStatus
from shared.i18n.catalog import Language

ACTION = r"^INC-(?:[0-9]{1,3}-)?[0-9]{6,12}\.[0-9]{1,6}$"


class ReviewQuery(InstantQuery):
    """How a review is shown."""

    lang: Language | None = None
    """The language of titles and facts. Default: the first choice of
    `Accept-Language`."""
    zone: ZoneName | None = None
    """The time zone of instants in sentences. Default: that of the desk."""


class DocumentQuery(ReviewQuery):
    """Which edition of a review, in which form."""

    edition: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Default: the draft, or the newest edition if there is none."""
    people: Literal["roles", "names"] = "roles"
    """`names`: people are shown by name, if the caller may look them up. Default: by
    what they are, since a review is not about who is to blame."""
    format: Literal["json", "markdown"] = "json"


class ReviewsQuery(TableQuery):
    """Which part of the list of reviews."""

    status: Literal["open", "published", "all"] = "all"
    """`open`: those that are not published."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: IncidentRef | None = None
    """`next_cursor` of the previous page: the last incident on it."""


class ReviewActionsQuery(TableQuery):
    """Which part of the list of actions."""

    status: Literal["open", "overdue", "ended", "all"] = "open"
    owner: Person | None = None
    """Only actions of this person."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: Annotated[str, Field(pattern=ACTION)] | None = None
    """`next_cursor` of the previous page: the last action on it."""


class FactView(Answer):
    """An entry of the log that the review shows, unless its author leaves it out."""

    position: int
    """Its position in the log."""
    at: AwareDatetime
    kind: str
    sentence: str
    left_out: bool


class FiguresView(Answer):
    """The impact in figures. Times are wall-clock time since the first report."""

    noticed: ReportKind | None
    services: list[str]
    acknowledged_seconds: int | None
    restored_seconds: int | None
    reports: int
    """How many people reported it, or an incident that was merged into it."""
    merged: int
    """How many incidents were merged into it."""
    pages: int
    people_paged: int
    escalations: int
    messages: int
    """How often its users were informed."""
    kept: int
    """Promises to own and to resolve that were kept, and broken."""
    broken: int


class ReviewActionView(Answer):
    """Something that somebody is to do because of a review."""

    incident: IncidentRef
    action: int
    status: Literal["open", "done", "dropped"]
    owner: str
    task: str
    opened_at: AwareDatetime
    due_at: AwareDatetime
    """It is overdue from this instant on."""
    ended_at: AwareDatetime | None
    overdue: bool


class SectionView(Answer):
    """A section of a review, with its newest text."""

    section: str
    title: str
    hint: str | None
    shows: Shown | None
    text: str
    revision: int
    """0 if it was not written."""
    written_at: AwareDatetime | None
    by: str | None


class EditionView(Answer):
    """A published edition, which never changes."""

    edition: int
    at: AwareDatetime
    by: str


class ReviewView(Answer):
    """The review of an incident."""

    incident: IncidentRef
    title: str
    version: int
    """Send it as `If-Match`."""
    status: ReviewStatus
    cause: ReviewCause
    owner: str
    opened_at: AwareDatetime
    due_at: AwareDatetime
    overdue: bool
    returned_because: str | None
    sections: list[SectionView]
    figures: FiguresView
    facts: list[FactView]
    actions: list[ReviewActionView]
    editions: list[EditionView]
    possible: list[str]
    """The commands on the review that the caller may give now; none for the past."""
    zone: str
    as_of: AsOf


class DocumentSection(Answer):
    """A section as it is read; `shows` says which of the others belongs to it."""

    section: str
    title: str
    shows: Shown | None
    text: str


class ReviewDocument(Answer):
    """A review to read: an edition, or the draft."""

    incident: IncidentRef
    title: str
    edition: int | None
    """Null for the draft."""
    published_at: AwareDatetime | None
    sections: list[DocumentSection]
    figures: FiguresView
    facts: list[FactView]
    actions: list[ReviewActionView]
    zone: str
    language: Language
    as_of: AsOf


class ReviewItem(Answer):
    """A review in the list."""

    incident: IncidentRef
    title: str | None
    """Null if the queue does not know the incident yet."""
    service: str | None
    status: ReviewStatus
    cause: ReviewCause
    owner: str
    opened_at: AwareDatetime
    due_at: AwareDatetime
    overdue: bool
    editions: int
    published_at: AwareDatetime | None
    open_actions: int
    overdue_actions: int


class ReviewList(Answer):
    """Some reviews, those of the newest incidents first."""

    items: list[ReviewItem]
    next_cursor: str | None
    """Where the next page begins; null at the end."""
    zone: str
    as_of: AsOf


class ReviewActionList(Answer):
    """Some actions of reviews, by their due date."""

    items: list[ReviewActionView]
    next_cursor: str | None
    """Where the next page begins; null at the end."""
    zone: str
    as_of: AsOf
