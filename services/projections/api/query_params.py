"""What every read may be asked, and the types questions are made of.

A question without parameters: any is an error that names it.
"""

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
# PostgreSQL knows no NUL, and no name of ours has a control character.
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_MAX, pattern=r"^[^\x00-\x1f]+$"),
]
Words = Annotated[
    str,
    StringConstraints(min_length=1, max_length=Q_MAX, pattern=r"^[^\x00-\x1f]+$"),
]
"""What is searched for."""
_Day = TypeVar("_Day", date, datetime)
Position = Annotated[int, Field(ge=0, le=POSITION_MAX)]


def with_plus(text: object) -> object:
    """Put back the plus of a zone: in a query string it means a space."""
    return re.sub(r" (?=\d\d:?\d\d$)", "+", text) if isinstance(text, str) else text


def begun(text: object) -> object:
    """Return the beginning of a day, in UTC, where only a day is written."""
    is_day = isinstance(text, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", text)
    return f"{text}T00:00:00Z" if is_day else text


def require_year(asked: _Day) -> _Day:
    """Return a day or an instant of a year that a question may be about."""
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
    """The parameters of a question; one it does not know is an error that names it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    min_position: Position = 0
    """Wait until the answer knows the event at this position: one's own write."""


class InstantQuery(QueryParams):
    """A question that may be asked of the past."""

    at: Moment | None = None
    """An instant, or a day, which means its beginning in UTC: what was recorded up to
    then. Left out: now."""


def no_incident(ref: str, *, is_later: bool = False) -> HttpError:
    """Return the 404 for an incident; `is_later`: recorded after what is asked for."""
    when = " at that instant: it was recorded later" if is_later else ""
    return HttpError(404, f"there is no incident {ref}{when}", code="unknown_incident")


def behind(what: str, position: int, wanted: int) -> HttpError:
    """Return the 503 for an answer that does not know `wanted` yet."""
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
    """Return how an endpoint documents the refusals it may answer with."""
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
    """No query parameter."""

    model_config = ConfigDict(frozen=True, extra="forbid")
