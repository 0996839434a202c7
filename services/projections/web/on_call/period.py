"""The weeks that a calendar shows: some from a Monday on, or those of a month. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from services.projections.api.limits import YEARS

WEEKS_MAX = 6
"""As many as the days of a month can be in."""
USUAL = 4
WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole weeks from the Monday `first` on."""

    first: date
    weeks: int

    @classmethod
    def around(cls, day: date, weeks: int) -> Self:
        """Return so many weeks, from that of `day` on."""
        return cls(day - timedelta(days=day.weekday()), weeks)

    @classmethod
    def of_month(cls, day: date) -> Self:
        """Return the weeks in which the days of a month are."""
        first = day.replace(day=1)
        monday = first - timedelta(days=first.weekday())
        last = _next_month(first) - timedelta(days=1)
        return cls(monday, (last - monday).days // 7 + 1)

    @property
    def end(self) -> date:
        """The Monday after the period."""
        return self.first + self.weeks * WEEK

    @property
    def last(self) -> date:
        """The last Sunday."""
        return self.end - timedelta(days=1)

    @property
    def month(self) -> date | None:
        """The first day of the month whose weeks these are, None if they are not."""
        if self.weeks < USUAL:
            return None
        middle = self.first + timedelta(days=6)
        return middle.replace(day=1) if self == Period.of_month(middle) else None

    @property
    def following(self) -> "Period":
        """The next weeks, as many; after a month the next month."""
        if self.month is None:
            return Period(self.end, self.weeks)
        return Period.of_month(_next_month(self.month))

    @property
    def previous(self) -> "Period":
        """The weeks before, as many; before a month the month before."""
        if self.month is None:
            return Period(self.first - self.weeks * WEEK, self.weeks)
        return Period.of_month(self.month - timedelta(days=1))


def period_in(first: str, weeks: str, today: date) -> Period:
    """Return the period that an address asks for; four weeks from today without one.

    What cannot be shown is as if it was not there: the address is typed, or old.
    """
    count = int(weeks) if weeks in map(str, range(1, WEEKS_MAX + 1)) else USUAL
    return Period.around(_day_in(first) or today, count)


def _day_in(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
