"""What the screens for auditors share: the period, filters, and who is looking."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request

from services.projections.web.figures.period import (
    Period,
    WrongPeriod,
    month_of,
    period_of,
)
from services.projections.web.people.visitor import Visitor
from services.projections.web.rendering import refused_text
from shared.web.language import language_of

_DAY = timedelta(days=1)
_QUARTER = 3
_PERSON = "person:"


@dataclass(frozen=True, slots=True)
class Shown:
    """The period of a screen; `wrong` says why it is not the one of the address."""

    period: Period
    wrong: str
    today: date

    @property
    def asked(self) -> Mapping[str, str]:
        """The period as the API has it."""
        return self.period.asked

    @property
    def choices(self) -> Mapping[str, str]:
        """The queries of the periods that are offered, by name."""
        month = month_of(self.today)
        quarter = quarter_of(self.today)
        offered = {
            "month": month,
            "last_month": month.before,
            "quarter": quarter,
            "last_quarter": quarter_of(quarter.first - _DAY),
        }
        return {name: urlencode(each.query) for name, each in offered.items()}


def quarter_of(day: date) -> Period:
    """Return the quarter of the year that a day is in."""
    begins = (day.month - 1) // _QUARTER * _QUARTER + 1
    first = day.replace(month=begins, day=1)
    return Period(first, month_of(first + 2 * timedelta(days=31)).last)


def shown_period(request: Request, given: Mapping[str, str], zone: str) -> Shown:
    """Return the period of an address; the current month if it names none."""
    now: datetime = request.app.state.desk.clock()
    today = now.astimezone(ZoneInfo(zone)).date()
    try:
        return Shown(period_of(given, today), "", today)
    except WrongPeriod as error:
        wrong = refused_text("", language_of(request), str(error))
        return Shown(month_of(today), wrong, today)


def actor_of(text: str) -> str:
    """Return an actor as the API names it, from a person's id or an actor."""
    name = text.strip()
    return name if ":" in name or not name else f"{_PERSON}{name}"


def head_of(visitor: Visitor, **more: object) -> dict[str, Any]:
    """Return what every screen for auditors says."""
    return {**visitor.head, "zone": visitor.zone, **more}


def people_in(items: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the ids of the people of entries."""
    for each in items:
        for name in ("actor", "subject", "verified_by", "begun_by"):
            yield str(each.get(name) or "").removeprefix(_PERSON)
