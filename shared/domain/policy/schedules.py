"""On-call schedules: who takes turns, in which hours, in which zone.

People are named by their ids. Overrides, swaps, absences and temporary schedules are
not policy: they are commands, and applying a policy never deletes them.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from shared.domain.policy.calendars import WeeklyHours
from shared.domain.policy.clause import Clause, Count, Person
from shared.domain.policy.local_times import LocalTime, Zone

Weekday = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
WEEKDAYS: tuple[Weekday, ...] = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""The weekdays as iCalendar writes them, Monday first."""

Role = Literal["primary", "secondary", "shadow", "manager"]
LAYERS_MAX = 50
SHIFT_HOURS_MAX = 366 * 24


def _kind(written: object) -> str:
    # Not the name of a key, so that the path of an error distinguishes them.
    several = isinstance(written, list | tuple)
    return "people together" if several else "one person"


Participant = Annotated[
    Annotated[Person, Tag("one person")]
    | Annotated[
        tuple[Person, ...], Field(min_length=1, max_length=20), Tag("people together")
    ],
    Discriminator(_kind),
]
"""One person, or several who are on call together."""


def group(participant: Participant) -> tuple[str, ...]:
    """Return the people who are on call together."""
    return (participant,) if isinstance(participant, str) else participant


def _hours(written: object) -> object:
    if isinstance(written, bool | str):
        raise ValueError("write hours as a number, such as 12")  # noqa: TRY004 - pydantic reports only ValueError
    return written


def _distinct(days: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
    if len({*days}) < len(days):
        raise ValueError("a day is given twice: name each day once")
    return days


class Rotation(Clause):
    """Participants take turns, each `shift_length` hours, days, weeks or months."""

    type: Literal["hourly", "daily", "weekly", "monthly"]
    shift_length: Count = 1
    start: LocalTime
    """When the first participant's first turn begins."""
    participants: Annotated[tuple[Participant, ...], Field(min_length=1)]
    """A list in the list is people who are on call together."""
    by_day: Annotated[tuple[Weekday, ...], AfterValidator(_distinct)] = ()
    """Shifts begin on these days only, at the time of `start`. Default: any day. Of a
    daily or hourly rotation only these days count as turns; a weekly or monthly one has
    turns of calendar weeks or months."""
    shift_duration_hours: (
        Annotated[float, BeforeValidator(_hours), Field(gt=0, le=SHIFT_HOURS_MAX)]
        | None
    ) = None
    """How long a shift lasts on the wall clock. Default: until the next may begin."""
    week_start: Weekday = "MO"
    """The first day of a week, for a weekly rotation with `by_day`."""
    rotation_start: LocalTime | None = None
    """Nobody is on call before. Default: the turns continue backwards before `start`.
    """
    until: LocalTime | None = None
    """Nobody is on call from then on."""

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        begins, until = self.rotation_start, self.until
        if begins is not None and until is not None and until <= begins:
            raise ValueError("`until` is not after `rotation_start`: correct one")
        return self


class Layer(Clause):
    """A rotation, perhaps only in some hours of the week, and what it counts for."""

    rotation: Rotation
    hours: WeeklyHours | None = None
    """On call only in these hours, as in a calendar. Default: always."""
    priority: Annotated[int, Field(ge=0, le=100)] = 0
    """While a layer has somebody on call, layers of lower priority and the same role do
    not count; of equal ones, all do."""
    role: Role = "primary"
    """What they are on call as. Pages go to `primary` unless they name another."""


class Schedule(Clause):
    """Who is on call: one rotation, or several layers of them, in a zone."""

    timezone: Zone
    rotation: Rotation | None = None
    """The only layer."""
    layers: Annotated[tuple[Layer, ...], Field(max_length=LAYERS_MAX)] = ()
    """Several layers, instead of `rotation`."""
    coverage: WeeklyHours | None = None
    """The hours in which somebody has to be on call, as in a calendar: only gaps in
    them are reported. Default: always."""

    @model_validator(mode="before")
    @classmethod
    def _has_layers(cls, written: object) -> object:
        if isinstance(written, Mapping):
            ways = [name for name in ("rotation", "layers") if written.get(name)]
            if len(ways) != 1:
                raise ValueError("write either `rotation` or `layers`")
        return written

    def all_layers(self) -> tuple[Layer, ...]:
        """Return the layers, also if there is only a rotation."""
        return (
            self.layers if self.rotation is None else (Layer(rotation=self.rotation),)
        )
