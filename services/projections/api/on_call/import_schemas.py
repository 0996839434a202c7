"""What an import of shifts takes and answers: a file as it is, or JSON about one."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from fastapi import Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.projections.api.answers import Answer
from services.projections.api.on_call.preview import DifferenceView
from services.projections.api.query_params import DayOrInstant
from services.projections.shift_files.rules import NAME_MAX
from shared.domain.commands.on_call import OnCallWarning
from shared.domain.events.on_call import ChangeId
from shared.domain.icalendar_file import FILE_BYTES_MAX
from shared.domain.policy.clause import Name, Person
from shared.http.bodies import read_body, read_larger_object, validated
from shared.http.problem_details import HttpError

BODY_BYTES_MAX = 2 * FILE_BYTES_MAX + 64 * 1024
"""A file within JSON, where line ends take two characters, and what is beside it."""
PERIOD_MAX = timedelta(days=366)
MAPPED_MAX = 500
URL_MAX = 2_048
_CALENDAR = "text/calendar"


class ImportBody(BaseModel):
    """Shifts to import: a file, or where it is, and whom the names in it mean."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        validate_by_name=True,
    )

    from_: Annotated[DayOrInstant, Field(alias="from")]
    """The first day, on the clocks of the schedule, or an instant."""
    to: DayOrInstant
    """The end, which is not part of it; at most 366 days later."""
    name: Name = "calendar"
    """What it is called: an import replaces what the last one of its name gave."""
    people: Annotated[
        Mapping[Annotated[str, Field(max_length=NAME_MAX)], Person | None],
        Field(max_length=MAPPED_MAX),
    ] = {}
    """Whom names in the file mean that are neither address nor id; null: leave it
    out."""
    text: Annotated[str, Field(max_length=FILE_BYTES_MAX)] | None = None
    """An iCalendar file, or …"""
    url: Annotated[str, Field(max_length=URL_MAX)] | None = None
    """… its address in the internet."""
    preview: bool = False
    """Only show what would change."""

    @model_validator(mode="after")
    def _has_one_file(self) -> Self:
        if (self.text is None) == (self.url is None):
            raise PydanticCustomError("file", "give either `text` or `url`")
        return self


class ShiftsImported(Answer):
    """What an import changes, or would change."""

    outcome: Literal["would_record", "recorded", "already", "repeated"]
    start: AwareDatetime
    end: AwareDatetime
    shifts: int
    """Of the file, in the period."""
    people: list[Person]
    differences: list[DifferenceView]
    left_off: bool
    """Whether there are more differences than the answer has."""
    warnings: list[OnCallWarning]
    added: list[ChangeId]
    """The temporary schedules that it makes."""
    withdrawn: list[ChangeId]
    """Those of the last import of its name, which end now."""
    version: int
    positions: list[int]


DESCRIBED: dict[str, Any] = {
    "requestBody": {
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ImportBody"}},
            _CALENDAR: {"schema": {"type": "string"}},
        }
    },
    "parameters": [
        {"name": name, "in": "query", "schema": {"type": "string"}, "description": text}
        for name, text in (
            ("from", "With a file as the body: as in the JSON body."),
            ("to", "Likewise."),
            ("name", "Likewise."),
            ("preview", "Likewise."),
            ("map", "`NAME=person`, or `NAME=`; repeat it for several."),
        )
    ],
}


async def asked_for(request: Request) -> ImportBody:
    """Return what a request wants to import. `HttpError` 4xx if it cannot be read."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _CALENDAR:
        for name in request.query_params:
            raise HttpError(
                422, f"`{name}` belongs to the body: leave it out here", code="invalid"
            )
        body = await read_larger_object(request, BODY_BYTES_MAX)
        return validated(ImportBody, body, "import")
    read = await read_body(request, FILE_BYTES_MAX)
    try:
        text = read.decode()
    except UnicodeDecodeError as error:
        raise HttpError(
            422, "the file is not UTF-8: save it so", code="unusable_file"
        ) from error
    given: dict[str, Any] = dict(request.query_params)
    given.pop("map", None)
    people = _mapped(request.query_params.getlist("map"))
    return validated(ImportBody, {**given, "text": text, "people": people}, "import")


def _mapped(written: list[str]) -> Mapping[str, str | None]:
    """Return whom names mean; the last `=` ends the name, since names have some."""
    found: dict[str, str | None] = {}
    for each in written:
        name, equals, person = each.rpartition("=")
        if not equals:
            raise HttpError(
                422, "`map` is not NAME=person: write it so", code="invalid"
            )
        found[name] = person or None
    return found
