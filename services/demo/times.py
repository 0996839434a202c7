"""Instants of the day, as the programme writes them: local to Paris."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2025, 6, 30)
TUESDAY = date(2025, 7, 1)


def at(clock: str, day: date = MONDAY) -> datetime:
    """Return the instant of a local time of a day: `07:52` → 05:52 UTC."""
    written = f"{day.isoformat()}T{clock}"
    return datetime.fromisoformat(written).replace(tzinfo=PARIS).astimezone(UTC)


def shown(instant: datetime) -> str:
    """Return an instant for people: `Mon 07:52`, with seconds where there are some."""
    local = instant.astimezone(PARIS)
    return local.strftime("%a %H:%M:%S" if local.second else "%a %H:%M")
