"""Coverage calendars: when the clock of a promise runs."""

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from shared.policy.clause import Clause
from shared.policy.local_times import HOUR, Zone
from shared.policy.weekly_hours import WeeklyHours

_CLOSING = rf"^(\d{{4}}-)?(\d\d-\d\d)(?: ({HOUR})-({HOUR}|24:00))?$"
_A_LEAP_YEAR = "2024-"


def _closing(written: str) -> str:
    found = re.fullmatch(_CLOSING, written)
    if not found:
        raise ValueError(
            "write a closed day as 2025-06-09, or 12-24 for every year, "
            "and for a part of it 12-24 12:00-24:00"
        )
    year, day, start, end = found.groups()
    try:
        date.fromisoformat((year or _A_LEAP_YEAR) + day)
    except ValueError as wrong:
        raise ValueError(f"{written} is no day of the calendar: correct it") from wrong
    if start and start >= end:
        raise ValueError("a part of a day ends after it begins, at the latest at 24:00")
    return written


Closing = Annotated[
    str,
    StringConstraints(max_length=40),
    AfterValidator(_closing),
    Field(
        json_schema_extra={"pattern": _CLOSING},
        examples=["2025-06-09", "12-24 12:00-24:00"],
    ),
]
"""`2025-06-09`, `12-24` (each year), either with ` HH:MM-HH:MM` for a part of a day."""

REGION = r"^[A-Z]{2}(-[A-Za-z0-9]{1,12})?$"
HolidayRegion = Annotated[
    str, StringConstraints(pattern=REGION), Field(examples=["FR", "CA-QC"])
]


class Calendar(Clause):
    """Open hours of a week in a zone, less the days on which it is closed."""

    timezone: Zone
    weekly_hours: WeeklyHours
    public_holidays: HolidayRegion | None = None
    """Country, or country and subdivision: `FR`, `CA-QC`."""
    closed: tuple[Closing, ...] = ()
    """Own closed days and parts of days, beside the public holidays."""
    holidays: tuple[Closing, ...] = ()
    """All closed days. Filled when a policy is applied; rules read this alone."""
