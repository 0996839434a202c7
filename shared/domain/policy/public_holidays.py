"""Public holidays as explicit dates, so that replay never depends on a library."""

from collections.abc import Collection, Mapping
from datetime import date
from functools import cache

from shared.domain.policy.calendars import Calendar
from shared.domain.policy.closed_days import horizon
from shared.domain.policy.document import Policy


def expand(policy: Policy, on: date) -> Policy:
    """Return `policy` with every closed day in each calendar's `holidays`.

    The public holidays are those from the year before `on` to five years after it,
    according to the installed library; days written by hand are kept.
    """
    calendars = {
        name: calendar.model_copy(update={"holidays": _closed_days(calendar, on)})
        for name, calendar in policy.calendars.items()
    }
    return policy.model_copy(update={"calendars": calendars})


def is_known_region(region: str) -> bool:
    """Return whether public holidays are known for a region such as `FR` or `CA-QC`."""
    country, _, subdivision = region.partition("-")
    known = _regions()
    return country in known and (not subdivision or subdivision in known[country])


@cache
def _regions() -> Mapping[str, Collection[str]]:
    from holidays import list_supported_countries  # heavy

    return list_supported_countries()


def _closed_days(calendar: Calendar, on: date) -> tuple[str, ...]:
    public = _public(calendar.public_holidays, on) if calendar.public_holidays else ()
    return tuple(sorted({*calendar.holidays, *calendar.closed, *public}))


def _public(region: str, on: date) -> list[str]:
    from holidays import country_holidays  # heavy

    years = horizon(on)
    country, _, subdivision = region.partition("-")
    days = country_holidays(country, subdiv=subdivision or None, years=years)
    return [day.isoformat() for day in days if day.year in years]
