"""The period that the page of metrics shows, and those beside it, in whole days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from services.projections.api.limits import YEARS

DAYS_MAX = 1_100
"""Three years: longer periods are for the API."""
_DAILY_MAX = 62
_WEEKLY_MAX = 400
_DAY = timedelta(days=1)


class WrongPeriod(Exception):
    """The address names no period; the text says what to write."""


@dataclass(frozen=True)
class Period:
    """A period of whole days; `last` belongs to it."""

    first: date
    last: date

    @property
    def query(self) -> Mapping[str, str]:
        """The period as the page's own address has it."""
        return {"from": self.first.isoformat(), "last": self.last.isoformat()}

    @property
    def asked(self) -> Mapping[str, str]:
        """The period as the API has it: its end is exclusive."""
        end = self.last + _DAY
        return {"from": self.first.isoformat(), "to": end.isoformat()}

    @property
    def before(self) -> "Period":
        """The month before a month; before other periods, as many days."""
        if self == month_of(self.first):
            return month_of(self.first - _DAY)
        return Period(self.first - self._length, self.first - _DAY)

    @property
    def after(self) -> "Period":
        """The month after a month; after other periods, as many days."""
        if self == month_of(self.first):
            return month_of(self.last + _DAY)
        return Period(self.last + _DAY, self.last + self._length)

    @property
    def every(self) -> Literal["day", "week", "month"]:
        """How the charts divide it: into as many parts as can be seen."""
        days = self._length.days
        if days <= _DAILY_MAX:
            return "day"
        return "week" if days <= _WEEKLY_MAX else "month"

    @property
    def _length(self) -> timedelta:
        return self.last - self.first + _DAY


def month_of(day: date) -> Period:
    """Return the month that a day is in."""
    first = day.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return Period(first, following - _DAY)


def period_of(given: Mapping[str, str], today: date) -> Period:
    """Return the period of an address, by default this month. Raises `WrongPeriod`."""
    if not given.get("from") and not given.get("last"):
        return month_of(today)
    first, last = (_day(given.get(name, "")) for name in ("from", "last"))
    if last < first:
        raise WrongPeriod("the last day is before the first one")
    if (last - first).days >= DAYS_MAX:
        raise WrongPeriod("a page shows three years at most")
    return Period(first, last)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise WrongPeriod("write both days as dates such as 2025-06-30") from error
    # The periods beside it must be within the years of the API, too.
    if day.year not in YEARS[5:-5]:
        raise WrongPeriod(f"choose years from {YEARS[5]} to {YEARS[-6]}")
    return day
