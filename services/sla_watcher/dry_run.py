"""Tries out a calendar and a target: when it is due, how much has elapsed. Pure.

Runs without a desk. The input has the form of a policy's calendar, in full: weekly
hours by day, closed days as dates, extra openings.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Self, TypeVar

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from shared.domain.policy.calendars import HOLIDAYS_MAX, Calendar
from shared.domain.policy.clause import Clause
from shared.domain.policy.cross_checks import is_zone
from shared.domain.policy.validation import explained
from shared.domain.working_time import Span, due, elapsed, hours_of
from shared.mistake import path_text

SECONDS_MAX = 100 * 366 * 24 * 60 * 60
"""No promise is longer than a century."""
PAUSES_MAX = 10_000
_BECOMES_DATES = ("closed", "closed_in", "public_holidays")
"""The fields of a calendar before it is expanded."""
_NEVER = datetime(9996, 1, 1, tzinfo=UTC)
"""The end, for counting, of a pause without an end."""

Answer = dict[str, JsonValue]


def _written(instant: object) -> object:
    """Reject numbers: they could mean seconds or milliseconds."""
    if not isinstance(instant, str) or not instant[:5].endswith("-"):
        raise ValueError("write an instant such as 2025-06-06T15:30:00Z")
    return instant


def _number(seconds: object) -> object:
    if isinstance(seconds, bool | str):
        raise ValueError("write whole seconds as a number, such as 3600")  # noqa: TRY004 - pydantic reports only ValueError
    return seconds


Instant = Annotated[AwareDatetime, BeforeValidator(_written)]


class Pause(Clause):
    """A time in which the clock is paused; without `to` it never resumes."""

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant | None = None

    @model_validator(mode="after")
    def _goes_forward(self) -> Self:
        if self.to is not None and self.to < self.from_:
            raise ValueError("it ends before it begins: exchange `from` and `to`")
        return self


Pauses = Annotated[tuple[Pause, ...], Field(max_length=PAUSES_MAX)]


class DueQuestion(Clause):
    """Asks when a number of working seconds since `start` is used up."""

    calendar: Calendar
    start: Instant
    target_seconds: Annotated[
        int, BeforeValidator(_number), Field(ge=0, le=SECONDS_MAX)
    ]
    pauses: Pauses = ()


class ElapsedQuestion(Clause):
    """Asks how many working seconds pass in [start, end)."""

    calendar: Calendar
    start: Instant
    end: Instant
    pauses: Pauses = ()


_Asked = TypeVar("_Asked", DueQuestion, ElapsedQuestion)


def due_answer(asked: Mapping[str, JsonValue]) -> Answer:
    """Return `due_at`, null if a pause without an end comes first. ValueError."""
    question = _read(DueQuestion, asked)
    hours, seconds = hours_of(question.calendar), question.target_seconds
    ended = _spans([pause for pause in question.pauses if pause.to])
    at = due(hours, question.start, seconds, ended)
    if any(pause.to is None and pause.from_ < at for pause in question.pauses):
        return {"due_at": None}
    return {"due_at": f"{at.replace(tzinfo=None).isoformat()}Z"}


def elapsed_answer(asked: Mapping[str, JsonValue]) -> Answer:
    """Return `elapsed_seconds`. ValueError."""
    question = _read(ElapsedQuestion, asked)
    hours, pauses = hours_of(question.calendar), _spans(question.pauses)
    seconds = elapsed(hours, question.start, question.end, pauses)
    return {"elapsed_seconds": seconds}


def _spans(pauses: Sequence[Pause]) -> list[Span]:
    return [(pause.from_, pause.to or _NEVER) for pause in pauses]


def _read(kind: type[_Asked], asked: Mapping[str, JsonValue]) -> _Asked:
    try:
        question = kind.model_validate(asked)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = path_text(first["loc"])
        sentence = explained(first, kind)
        raise ValueError(f"{where}: {sentence}" if where else sentence) from error
    if len(question.calendar.holidays) > HOLIDAYS_MAX:
        raise ValueError(
            f"calendar.holidays: more than {HOLIDAYS_MAX} closed days: leave some out"
        )
    zone = question.calendar.timezone
    if not is_zone(zone):
        raise ValueError(
            f"calendar.timezone: `{zone}` is not a time zone: write one such as "
            "Europe/Paris"
        )
    for field in _BECOMES_DATES:
        if getattr(question.calendar, field):
            raise ValueError(
                f"calendar.{field}: that becomes dates when a policy is applied: here "
                "write the dates into `holidays`"
            )
    return question
