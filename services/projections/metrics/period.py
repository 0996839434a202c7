"""Queries of the metrics: periods [from, to), their parts and their groups.

Periods are divided at midnight, on Mondays or on the first of a month, in a time zone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

GroupBy = Literal["service", "client", "priority", "team", "category", "channel"]
GROUPS = get_args(GroupBy)


@dataclass(frozen=True)
class PeriodQuery:
    """A period with its `bounds`, at least two; a part lies between two of them.

    `within` are delays in seconds; `known` is when the newest included event was
    recorded.
    """

    bounds: Sequence[datetime]
    within: Sequence[int]
    group_by: GroupBy | None
    known: datetime

    @property
    def group(self) -> str:
        """The column to group by, in SQL."""
        return self.group_by or "NULL::text"


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
