"""A schedule with what people changed of it: overrides, absences, temporary schedules.

All periods are half-open, [start, end), in UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from shared.domain.policy.calendars import WeekOfWindows
from shared.domain.policy.schedules import Layer, Role, Schedule


@dataclass(frozen=True, slots=True)
class Override:
    """Changes who is on call in a period.

    `add` puts a person on call besides the others; `remove` takes one off; `replace`
    puts one in the place of another. To swap is to replace twice. Without `remove`, or
    without `add`, a kind that needs it changes nothing.
    """

    type: Literal["add", "replace", "remove"]
    start: datetime
    end: datetime
    add: str | None = None
    remove: str | None = None
    role: Role = "primary"
    id: str | None = None
    """The change as it was recorded: an override or a swap. None in a dry run."""


@dataclass(frozen=True, slots=True)
class Absence:
    """A person is away: the next participant who is not takes their turns."""

    person: str
    start: datetime
    end: datetime
    id: str | None = None
    """The change as it was recorded. None in a dry run."""


@dataclass(frozen=True, slots=True)
class DatedShift:
    """People on call in a period, as written, without a rule."""

    people: tuple[str, ...]
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class TemporarySchedule:
    """Shifts that take precedence over all layers in a period.

    Where it has no shift the layers count as ever, so that it never makes a gap.
    """

    start: datetime
    end: datetime
    shifts: tuple[DatedShift, ...]
    id: str | None = None
    """The change as it was recorded. None in a dry run."""


@dataclass(frozen=True, slots=True)
class Roster:
    """What is known about who is on call in one schedule."""

    timezone: str
    layers: tuple[Layer, ...]
    overrides: tuple[Override, ...] = ()
    """In the order in which they were made: later ones build on earlier ones."""
    absences: tuple[Absence, ...] = ()
    temporary: tuple[TemporarySchedule, ...] = ()
    """In the order in which they were made: a later one takes precedence."""
    coverage: WeekOfWindows | None = None
    """The hours in which somebody has to be on call; None: always."""

    @classmethod
    def of(
        cls,
        schedule: Schedule,
        overrides: Sequence[Override] = (),
        absences: Sequence[Absence] = (),
        temporary: Sequence[TemporarySchedule] = (),
    ) -> Self:
        """Return the roster of a schedule of the policy."""
        return cls(
            schedule.timezone,
            schedule.all_layers(),
            tuple(overrides),
            tuple(absences),
            tuple(temporary),
            schedule.coverage,
        )
