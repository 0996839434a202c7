"""What is told of the quarantine and asked of it: the bodies of its API."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.domain.bounded_text import REASON_MAX, Reason

State = Literal["waiting", "released", "discarded", "expired"]
"""Expired: its body was deleted after its retention, and nobody had mended it."""
TRIED_MAX = 100
"""So many are tried again in one request; `next_cursor` says where to go on."""
LISTED_MAX = 500
LISTED = 50
CURSOR_MAX = 2**63 - 1

Word = Annotated[
    str,
    StringConstraints(min_length=1, max_length=REASON_MAX, pattern=r"^[^\x00-\x1f]+$"),
]


class Filter(BaseModel):
    """Which of the quarantine; what is left out does not narrow it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    source: Word | None = None
    adapter: Word | None = None
    reason: Word | None = None
    """A part of the reason, upper and lower case alike."""
    since: AwareDatetime | None = None
    """Received at this instant or later."""
    until: AwareDatetime | None = None
    """Received before this instant."""


class QuarantineListing(Filter):
    """A page of the quarantine, oldest first."""

    state: State = "waiting"
    limit: Annotated[int, Field(ge=1, le=LISTED_MAX)] = LISTED
    cursor: Annotated[int, Field(ge=0, le=CURSOR_MAX)] = 0
    """The `next_cursor` of the page before."""


class RetryMany(Filter):
    """Try again what waits and fits, the oldest first, so many at once."""

    limit: Annotated[int, Field(ge=1, le=TRIED_MAX)] = TRIED_MAX
    cursor: Annotated[int, Field(ge=0, le=CURSOR_MAX)] = 0
    """The `next_cursor` of the answer before."""


class Discard(BaseModel):
    """Take one off the list for good; it is kept, and the reason with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason


class Quarantined(BaseModel):
    """One element that could not be taken."""

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
    """The record that could not be read: tried again by itself once it can be."""


class QuarantinePage(BaseModel):
    """A page of the quarantine; `next_cursor` is null at its end."""

    items: list[Quarantined]
    next_cursor: str | None


class QuarantineOutcome(BaseModel):
    """The outcome of an element when it was taken."""

    status: str | None = None
    incident: str | None = None
    position: int | None = None
    reason: str | None = None


class JournalEntry(QuarantineOutcome):
    """Something that was done about a quarantined element, by whom and when."""

    at: AwareDatetime
    by: str
    what: Literal["tried", "released", "discarded", "expired"]


class QuarantinedWhole(Quarantined):
    """One element with its history and, for administrators, its body."""

    body: str | None = None
    """As received; in base64 if it is not UTF-8. Null without the scope `admin`."""
    encoding: Literal["utf-8", "base64"] | None = None
    journal: list[JournalEntry]


class Tried(BaseModel):
    """What another try came to: `released`, or `waiting` still, and why."""

    id: int
    state: State
    reason: str | None = None
    results: list[QuarantineOutcome] = []


class TriedMany(BaseModel):
    """What a round of tries came to; `next_cursor` is null where none is left."""

    released: int
    waiting: int
    items: list[Tried]
    next_cursor: str | None
