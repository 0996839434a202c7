"""The days and months of which results are shown and published. Pure."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.domain.on_call.local_times import first_instant


def day_begins(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins in a zone, in UTC."""
    return first_instant(datetime.combine(day, time()), zone)


def next_month(day: date) -> date | None:
    """Return the first of the next month, None unless `day` is the first of one."""
    if day.day != 1:
        return None
    return (day + timedelta(days=31)).replace(day=1)
