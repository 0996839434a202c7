"""Tries out an on-call schedule: its shifts, who is on call, gaps and overlaps. Pure.

Runs without a desk. The input has the form of a policy's schedule, with what people
change by command: overrides, absences and temporary schedules.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Literal, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from shared.domain.on_call import (
    Absence,
    DatedShift,
    Override,
    Roster,
    TemporarySchedule,
    on_call,
    overlaps,
    shifts,
    uncovered,
)
from shared.domain.policy.clause import Clause, Person
from shared.domain.policy.cross_checks import is_zone
from shared.domain.policy.local_times import Zone
from shared.domain.policy.schedules import LAYERS_MAX, Layer, Role, Rotation
from shared.domain.policy.validation import explained, path_of
from shared.mistake import path_text

SHIFTS_MAX = 10_000
"""The maximum number of shifts in one answer."""
CHANGES_MAX = 1_000
"""The maximum number of overrides, absences or temporary schedules of one question."""
YEARS = range(1900, 2200)
_LOCAL = ("start", "rotation_start", "until")
"""Times of a rotation: here with an offset too, as other systems write them."""

Answer = dict[str, JsonValue]


def _written(instant: object) -> object:
    """Reject numbers: they could mean seconds or milliseconds."""
    if not isinstance(instant, str) or not instant[:5].endswith("-"):
        raise ValueError("write an instant such as 2025-06-06T15:30:00Z")
    return instant


def _in_years(instant: datetime) -> datetime:
    if instant.year not in YEARS:
        raise ValueError(f"choose a year from {YEARS[0]} to {YEARS[-1]}")
    return instant.astimezone(UTC)


Instant = Annotated[AwareDatetime, BeforeValidator(_written)]


class Period(Clause):
    """[start, end)."""

    start: Instant
    end: Instant

    @model_validator(mode="after")
    def _goes_forward(self) -> Self:
        if self.end <= self.start:
            raise ValueError("`end` is not after `start`: exchange them")
        return self


class OverrideQuestion(Period):
    """An override; `add` and `remove` as its type needs them."""

    type: Literal["add", "replace", "remove"]
    add: Person | None = None
    remove: Person | None = None
    role: Role = "primary"

    @model_validator(mode="after")
    def _names_people(self) -> Self:
        if self.type != "remove" and self.add is None:
            raise ValueError(f"say in `add` who comes in: this is a {self.type}")
        if self.type != "add" and self.remove is None:
            raise ValueError(f"say in `remove` who goes: this is a {self.type}")
        return self


class AbsenceQuestion(Period):
    """A person is away."""

    person: Person


class DatedShiftQuestion(Period):
    """People on call in a period."""

    who: Annotated[tuple[Person, ...], Field(min_length=1, max_length=20)]


class TemporaryQuestion(Period):
    """Shifts that take precedence in a period."""

    shifts: Annotated[tuple[DatedShiftQuestion, ...], Field(max_length=CHANGES_MAX)]


class WhoQuestion(Clause):
    """A schedule with what people changed of it; asks who is on call at an instant."""

    timezone: Zone
    rotation: Rotation | None = None
    layers: Annotated[tuple[Layer, ...], Field(max_length=LAYERS_MAX)] = ()
    overrides: Annotated[
        tuple[OverrideQuestion, ...], Field(max_length=CHANGES_MAX)
    ] = ()
    absences: Annotated[tuple[AbsenceQuestion, ...], Field(max_length=CHANGES_MAX)] = ()
    temporary_schedules: Annotated[
        tuple[TemporaryQuestion, ...], Field(max_length=CHANGES_MAX)
    ] = ()
    role: Role = "primary"
    at: Instant | None = None
    from_: Annotated[Instant | None, Field(alias="from")] = None
    to: Instant | None = None

    @model_validator(mode="after")
    def _has_one_schedule(self) -> Self:
        if self.rotation is not None and self.layers:
            raise ValueError("write either `rotation` or `layers`, not both")
        return self


def who_answer(asked: dict[str, JsonValue]) -> Answer:
    """Return who is on call `at` an instant. ValueError."""
    question = _read(asked)
    if question.at is None:
        raise ValueError("at: say when, such as 2025-06-06T15:30:00Z")
    people = on_call(_roster(question), _in_years(question.at), question.role)
    return {"who": list(people)}


def shifts_answer(asked: dict[str, JsonValue]) -> Answer:
    """Return the shifts that overlap [`from`, `to`). ValueError."""
    question = _read(asked)
    start, end = _period(question)
    found = _listed(shifts(_roster(question), start, end, question.role))
    return {"shifts": [_shift(each.begins, each.ends, each.people) for each in found]}


def coverage_answer(asked: dict[str, JsonValue]) -> Answer:
    """Return the same, and the gaps and the overlaps in the period. ValueError."""
    question = _read(asked)
    start, end = _period(question)
    roster, role = _roster(question), question.role
    found = _listed(shifts(roster, start, end, role))
    return {
        "shifts": [_shift(each.begins, each.ends, each.people) for each in found],
        "gaps": [
            {"from": _utc(begins), "to": _utc(ends)}
            for begins, ends in uncovered(found, start, end)
        ],
        "overlaps": [
            _shift(each.begins, each.ends, each.people)
            for each in overlaps(roster, start, end, role)
        ],
    }


_Each = TypeVar("_Each")


def _listed(found: Iterable[_Each]) -> list[_Each]:
    listed = list(islice(found, SHIFTS_MAX + 1))
    if len(listed) > SHIFTS_MAX:
        raise ValueError(
            f"to: these are more than {SHIFTS_MAX} shifts: ask for a shorter time"
        )
    return listed


def _shift(begins: datetime, ends: datetime, people: tuple[str, ...]) -> JsonValue:
    return {"from": _utc(begins), "to": _utc(ends), "who": list(people)}


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def _period(question: WhoQuestion) -> tuple[datetime, datetime]:
    if question.from_ is None or question.to is None:
        raise ValueError("give a period: `from` and `to`")
    start, end = _in_years(question.from_), _in_years(question.to)
    if end <= start:
        raise ValueError("to: it is not after `from`: exchange them")
    return start, end


def _roster(question: WhoQuestion) -> Roster:
    layers = question.layers
    if question.rotation is not None:
        layers = (Layer(rotation=question.rotation),)
    return Roster(
        question.timezone,
        layers,
        tuple(
            Override(each.type, each.start, each.end, each.add, each.remove, each.role)
            for each in question.overrides
        ),
        tuple(Absence(each.person, each.start, each.end) for each in question.absences),
        tuple(
            TemporarySchedule(
                each.start,
                each.end,
                tuple(DatedShift(one.who, one.start, one.end) for one in each.shifts),
            )
            for each in question.temporary_schedules
        ),
    )


def _read(asked: dict[str, JsonValue]) -> WhoQuestion:
    zone = asked.get("timezone")
    if isinstance(zone, str) and not is_zone(zone):
        raise ValueError(
            f"timezone: `{zone}` is not a time zone: write one such as Europe/Paris"
        )
    try:
        return WhoQuestion.model_validate(_localised(asked, zone))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = path_text(path_of(first, asked))
        sentence = explained(first, WhoQuestion)
        raise ValueError(f"{where}: {sentence}" if where else sentence) from error


def _localised(asked: Mapping[str, JsonValue], zone: JsonValue) -> dict[str, JsonValue]:
    """Return the question with times of rotations in local time."""
    question = dict(asked)
    if not isinstance(zone, str):
        return question
    if isinstance(rotation := question.get("rotation"), dict):
        question["rotation"] = _local(rotation, ZoneInfo(zone))
    if isinstance(layers := question.get("layers"), list):
        question["layers"] = [_local_layer(layer, ZoneInfo(zone)) for layer in layers]
    return question


def _local_layer(layer: JsonValue, zone: ZoneInfo) -> JsonValue:
    rotation = layer.get("rotation") if isinstance(layer, dict) else None
    if isinstance(layer, dict) and isinstance(rotation, dict):
        return {**layer, "rotation": _local(rotation, zone)}
    return layer


def _local(rotation: Mapping[str, JsonValue], zone: ZoneInfo) -> dict[str, JsonValue]:
    found = dict(rotation)
    for name in _LOCAL:
        written = found.get(name)
        if isinstance(written, str):
            try:
                instant = datetime.fromisoformat(written)
                if instant.tzinfo is not None:
                    local = instant.astimezone(zone).replace(tzinfo=None)
                    found[name] = local.isoformat()
            except (ValueError, OverflowError):
                continue  # validation says what is wrong with it
    return found
