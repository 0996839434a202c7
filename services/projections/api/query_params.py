"""Query parameters that reads share, and their types."""

import re
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from fastapi import Path
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from services.projections.api.limits import NAME_MAX, POSITION_MAX, RETRY_SECONDS, YEARS
from services.projections.queue.filters import Q_MAX
from shared.domain.identifiers import IncidentRef
from shared.http.problem_details import HttpError, phrase

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


def with_plus(text: object) -> object:
    """Restore the plus sign of an offset: in a query string it means a space."""
    return re.sub(r" (?=\d\d:?\d\d$)", "+", text) if isinstance(text, str) else text


def begun(text: object) -> object:
    """Return the beginning of a day in UTC, if only a day is given."""
    is_day = isinstance(text, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", text)
    return f"{text}T00:00:00Z" if is_day else text


def require_year(asked: _Day) -> _Day:
    """Return the day or instant; its year must be one that a request may name."""
    if asked.year not in YEARS:
        raise ValueError(f"choose a year from {YEARS[0]} to {YEARS[-1]}")
    return asked


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(with_plus),
    BeforeValidator(begun),
    AfterValidator(require_year),
]


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


def no_incident(ref: str, *, is_later: bool = False) -> HttpError:
    """Return the 404 for an incident; `is_later`: recorded after the given instant."""
    when = " at that instant: it was recorded later" if is_later else ""
    return HttpError(404, f"there is no incident {ref}{when}", code="unknown_incident")


def behind(what: str, position: int, wanted: int) -> HttpError:
    """Return the 503 for an answer that does not include `wanted` yet."""
    return HttpError(
        503,
        f"{what} is at position {position} and has not come to {wanted} yet: ask again",
        code="behind",
        retry_after=RETRY_SECONDS,
    )


_COME_AGAIN = {
    "headers": {
        "Retry-After": {
            "description": "In so many seconds it may be asked again.",
            "required": True,
            "schema": {"type": "integer", "minimum": 1},
        }
    }
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI descriptions of an endpoint's refusals."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        status: {
            "description": phrase(status),
            "content": {"application/problem+json": {"schema": schema}},
            **(_COME_AGAIN if status in {429, 503} else {}),
        }
        for status in (401, 403, *statuses, 422, 429, 503)
    }


class Nothing(BaseModel):
    """No query parameters; any is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
