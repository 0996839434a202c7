"""Queries of the metrics: periods [from, to), their parts and their groups.

Periods are divided at midnight, on Mondays or on the first of a month, in a time zone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from shared.domain.policy.surveys import MIN_ANSWERS
from shared.domain.survey.periods import day_begins, next_month

MONTHS_MAX = 600
"""More months of satisfaction than anybody has recorded."""
GroupBy = Literal["service", "client", "priority", "team", "category", "channel"]
GROUPS = get_args(GroupBy)
FilteredBy = Literal["service", "client", "priority", "team"]


@dataclass(frozen=True)
class Disclosure:
    """The desk's time zone, and how many answers a survey needs for a figure."""

    zone: ZoneInfo
    least: Mapping[str, int] = field(default_factory=dict)

    def of(self, survey: str) -> int:
        """Return the number for a survey, also for one that was removed."""
        return self.least.get(survey, MIN_ANSWERS)

    def months(
        self, start: datetime, end: datetime, known: datetime
    ) -> Sequence[datetime]:
        """Return the bounds of the months in [start, end) that are over by `known`.

        None of a period that lies ahead, or began longer ago than `MONTHS_MAX`.
        """
        if not timedelta() <= known - start < MONTHS_MAX * timedelta(days=31):
            return ()
        first = start.astimezone(self.zone).date().replace(day=1)
        found: list[datetime] = []
        while (at := day_begins(first, self.zone)) <= min(end, known):
            if at >= start:
                found.append(at)
            first = next_month(first) or first
        return found


@dataclass(frozen=True)
class PeriodQuery:
    """A period with its `bounds`, at least two; a part lies between two of them.

    `within` are delays in seconds; `known` is when the newest included event was
    recorded; `disclosure` is what decides about figures of satisfaction.
    """

    bounds: Sequence[datetime]
    within: Sequence[int]
    group_by: GroupBy | None
    known: datetime
    disclosure: Disclosure
    only: Mapping[FilteredBy, str] = field(default_factory=dict)
    """The values that the properties of a record must have, to be counted."""

    @property
    def group(self) -> str:
        """The column to group by, in SQL."""
        return self.group_by or "NULL::text"

    @property
    def condition(self) -> str:
        """The condition of `only`, in SQL; its parameters are `only_values`."""
        return " AND ".join(f"{name} = %(only_{name})s" for name in self.only) or "true"

    @property
    def only_values(self) -> Mapping[str, object]:
        """The parameters of `condition`."""
        return {f"only_{name}": value for name, value in self.only.items()}


SUB_PERIODS_MAX = 400
"""More than a year of days."""

Every = Literal["day", "week", "month"]


class TooManySubPeriods(Exception):
    """The period has more parts than `SUB_PERIODS_MAX`."""


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a local day begins, in UTC.

    If midnight does not exist, the day begins when the clocks have gone forward; if it
    exists twice, at the first.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)


def bounds(
    start: datetime, end: datetime, zone: ZoneInfo, every: Every
) -> Sequence[datetime]:
    """Return `start`, the local calendar's bounds in between, and `end`.

    Raises `TooManySubPeriods`.
    """
    found = [start]
    for at in _beginnings(start, zone, every):
        if at >= end:
            break
        found.append(at)
        if len(found) > SUB_PERIODS_MAX:
            raise TooManySubPeriods(
                f"this period has more than {SUB_PERIODS_MAX} parts: ask for a shorter "
                "one, or for longer parts"
            )
    return [*found, end]


def _beginnings(start: datetime, zone: ZoneInfo, every: Every) -> Iterator[datetime]:
    day = start.astimezone(zone).date()
    while True:
        day = _next(day, every)
        at = midnight(day, zone)
        if at > start:
            yield at


def _next(day: date, every: Every) -> date:
    match every:
        case "day":
            return day + timedelta(days=1)
        case "week":
            return day + timedelta(days=7 - day.weekday())
        case "month":
            return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
