"""The quarantine API: bodies of its requests and answers."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.domain.bounded_text import REASON_MAX, Reason

State = Literal["waiting", "released", "discarded", "expired"]
"""`expired`: its body was deleted after the retention time, before it was fixed."""
TRIED_MAX = 100
"""Elements retried in one request; `next_cursor` says where to continue."""
LISTED_MAX = 500
LISTED = 50
CURSOR_MAX = 2**63 - 1

Word = Annotated[
    str,
    StringConstraints(min_length=1, max_length=REASON_MAX, pattern=r"^[^\x00-\x1f]+$"),
]


class Filter(BaseModel):
    """A filter for the quarantine; fields left out do not filter."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    source: Word | None = None
    adapter: Word | None = None
    reason: Word | None = None
    """A part of the reason, ignoring case."""
    since: AwareDatetime | None = None
    """Received at this instant or later."""
    until: AwareDatetime | None = None
    """Received before this instant."""


class QuarantineListing(Filter):
    """A page of the quarantine, oldest first."""

    state: State = "waiting"
    limit: Annotated[int, Field(ge=1, le=LISTED_MAX)] = LISTED
    cursor: Annotated[int, Field(ge=0, le=CURSOR_MAX)] = 0
    """The `next_cursor` of the previous page."""


class RetryMany(Filter):
    """Retry matching elements that wait, oldest first, up to `limit`."""

    limit: Annotated[int, Field(ge=1, le=TRIED_MAX)] = TRIED_MAX
    cursor: Annotated[int, Field(ge=0, le=CURSOR_MAX)] = 0
    """The `next_cursor` of the previous answer."""


class Discard(BaseModel):
    """Discard an element for good; it is kept together with the reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason


class Quarantined(BaseModel):
    """A quarantined element."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: int
    source: str
    adapter: str
    received_at: AwareDatetime
    element: int
    reason: str
    state: State
    tries: int
    awaits: str | None = None
    """The record that could not be read: retried automatically once it can be."""


class QuarantinePage(BaseModel):
    """A page of the quarantine; `next_cursor` is null at the end."""

    items: list[Quarantined]
    next_cursor: str | None


class QuarantineOutcome(BaseModel):
    """The result for an element when it was taken."""

    status: str | None = None
    incident: str | None = None
    position: int | None = None
    reason: str | None = None


class JournalEntry(QuarantineOutcome):
    """An action on a quarantined element: what, by whom and when."""

    at: AwareDatetime
    by: str
    what: Literal["tried", "released", "discarded", "expired"]


class QuarantinedWhole(Quarantined):
    """An element with its history and, for administrators, its body."""

    body: str | None = None
    """As received; in base64 if it is not UTF-8. Null without the scope `admin`."""
    encoding: Literal["utf-8", "base64"] | None = None
    journal: list[JournalEntry]


class Tried(BaseModel):
    """The result of a retry: `released`, or still `waiting`, and why."""

    id: int
    state: State
    reason: str | None = None
    results: list[QuarantineOutcome] = []


class TriedMany(BaseModel):
    """The results of a round of retries; `next_cursor` is null if none is left."""

    released: int
    waiting: int
    items: list[Tried]
    next_cursor: str | None
