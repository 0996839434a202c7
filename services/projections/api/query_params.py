"""What a request may ask for: the types of its parameters, and its language."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo

from fastapi import Depends, Path, Request
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from services.projections.api.limits import NAME_MAX, POSITION_MAX, YEARS
from services.projections.metrics.period import midnight
from services.projections.queue.filters import Q_MAX
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import Person
from shared.domain.policy.cross_checks import is_zone
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.web.language import liked

PersonPath = Annotated[Person, Path(description="An id of the directory: `costa`.")]
Ref = Annotated[IncidentRef, Path(description="An incident: `INC-000042`.")]
# PostgreSQL text cannot contain NUL, and no name contains control characters.
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_MAX, pattern=r"^[^\x00-\x1f]+$"),
]
Words = Annotated[
    str,
    StringConstraints(min_length=1, max_length=Q_MAX, pattern=r"^[^\x00-\x1f]+$"),
]
"""The words to search for."""
_Day = TypeVar("_Day", date, datetime)
Position = Annotated[int, Field(ge=0, le=POSITION_MAX)]


def _with_plus(text: object) -> object:
    """Restore the plus sign of an offset: in a query string it means a space."""
    return re.sub(r" (?=\d\d:?\d\d$)", "+", text) if isinstance(text, str) else text


def _day_begins(text: object) -> object:
    """Return the beginning of a day in UTC, if only a day is given."""
    is_day = isinstance(text, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", text)
    return f"{text}T00:00:00Z" if is_day else text


def _require_year(given: _Day) -> _Day:
    """Return the day or instant; its year must be one that a request may name."""
    if given.year not in YEARS:
        raise ValueError(f"choose a year from {YEARS[0]} to {YEARS[-1]}")
    return given


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_with_plus),
    BeforeValidator(_day_begins),
    AfterValidator(_require_year),
]


_EXAMPLE = (
    "write a day such as 2025-06-30, or an instant with its zone such as "
    "2025-06-30T09:00:00Z"
)


def _instant(written: object) -> date:
    text = str(_with_plus(written))
    try:
        is_day = re.fullmatch(r"\d{4}-\d\d-\d\d", text)
        found = date.fromisoformat(text) if is_day else datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(_EXAMPLE) from error
    if isinstance(found, datetime) and found.tzinfo is None:
        raise ValueError(_EXAMPLE)
    return _require_year(found)


def _zone(written: str) -> str:
    if not is_zone(written):
        raise ValueError("no such time zone: write one such as Europe/Paris")
    return written


DayOrInstant = Annotated[
    date,
    PlainValidator(_instant),
    WithJsonSchema({"type": "string", "examples": ["2025-06-30"]}),
]
"""A day, or an instant (a `datetime`)."""
ZoneName = Annotated[str, AfterValidator(_zone), Field(examples=["Europe/Paris"])]


class QueryParams(BaseModel):
    """The parameters of a query; an unknown one is an error that names it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    min_position: Position = 0
    """Wait until the answer includes the event at this position: your own write."""


class InstantQuery(QueryParams):
    """A query that may be about the past."""

    at: Moment | None = None
    """Answer with what was recorded up to this instant, or up to the beginning of this
    day in UTC. Default: now."""


class TableQuery(QueryParams):
    """A query whose answer may be a table."""

    format: Literal["json", "csv", "jsonl"] | None = None
    """`csv`: a table for a spreadsheet; `jsonl`: each item as a line of JSON.
    Default: the first choice of `Accept`."""


class TableShape(BaseModel):
    """The format of an answer of intake; the other parameters are passed to it."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    format: Literal["json", "csv", "jsonl"] | None = None
    """`csv`: a table for a spreadsheet; `jsonl`: each item as a line of JSON.
    Default: the first choice of `Accept`."""


class Nothing(BaseModel):
    """No query parameters; any is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def instant_of(given: date, zone: ZoneInfo) -> datetime:
    """Return the given instant in UTC; for a day, its beginning in `zone`."""
    if isinstance(given, datetime):
        return given.astimezone(UTC)
    return midnight(given, zone)


def require_order(names: tuple[str, str], start: datetime, end: datetime) -> None:
    """Refuse an empty period with an `HttpError` 422."""
    if start >= end:
        first, last = names
        raise unwanted(
            last,
            f"`{last}` must be later than `{first}`: it is the instant after the last",
        )


def unwanted(parameter: str, sentence: str) -> HttpError:
    """Return the 422 for a parameter that is well formed but makes no sense."""
    return refused(parameter, "unwanted", sentence, code="invalid")


def refused(
    parameter: str,
    kind: str,
    sentence: str,
    short: str | None = None,
    code: str | None = None,
) -> HttpError:
    """Return the 422 for a parameter; `short` is what its own error says."""
    errors = [{"loc": ["query", parameter], "msg": short or sentence, "type": kind}]
    return HttpError(422, sentence, code=code, errors=errors)


def _language(request: Request) -> Language:
    return liked(request.headers.get("accept-language", ""))


PreferredLanguage = Annotated[Language, Depends(_language)]
"""The language that the client prefers."""
