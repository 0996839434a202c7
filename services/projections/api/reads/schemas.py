"""What is asked about reads, and what is answered."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.projections.api.answers import Answer
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX
from services.projections.api.query_params import Moment, TableQuery
from shared.domain.bounded_text import Reason
from shared.reads import Served

CURSOR_MAX = 800
_Named = Annotated[
    str, StringConstraints(min_length=1, max_length=400, pattern=r"^[!-~]+$")
]


class ReadsQuery(TableQuery):
    """Which page of the answer."""

    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: Annotated[str, StringConstraints(max_length=CURSOR_MAX)] | None = None
    """`next_cursor` of the previous page, asked with the same body."""


class ReadsQuestion(BaseModel):
    """Who read a record, or what somebody read, and why you ask.

    Name a record, a reader or both.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    record: Annotated[_Named | None, Field(examples=["INC-000042"])] = None
    """An incident, a problem, a change, a record of another system, or a list such as
    `queue:all`."""
    reader: Annotated[_Named | None, Field(examples=["person:nadia"])] = None
    """Who read, as events name them. Needs the period as well."""
    start: Annotated[Moment | None, Field(alias="from")] = None
    """The beginning of the period. Default: everything that is kept."""
    end: Annotated[Moment | None, Field(alias="to")] = None
    """The instant after its end. Default: now."""
    reason: Reason
    """Why you ask: it is recorded with the question, before anything is shown."""


class ReadView(Answer):
    """Somebody read personal words."""

    at: AwareDatetime
    """When; for what is noted once in a quarter of an hour, when that began."""
    reader: str
    record: str | None
    """What they read; of a question, what it asked about; null for a search, an export
    or a page of the log, whose records have rows of their own."""
    served: list[Served | Literal["question"]]
    """What was served: the record, its timeline, a file, a list, a page behind a link,
    a raw body, results of a search, rows of an export, events of the log, or the answer
    to a question like this one."""
    address: str | None
    """The address of a search, an export or a page of the log."""
    records: int | None
    """How many records it showed."""
    reason: str | None
    """Why somebody asked who read."""


class Reads(Answer):
    """The reads that answer a question, the newest first."""

    items: list[ReadView]
    next_cursor: str | None
