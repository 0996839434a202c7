"""Coverage calendars: when the clock of a promise runs."""

import re
from datetime import date
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from shared.policy.clause import Clause
from shared.policy.local_times import HOUR, Zone
from shared.policy.weekly_hours import WeeklyHours

_CLOSING = rf"^(\d{{4}}-)?(\d\d-\d\d)(?: ({HOUR})-({HOUR}|24:00))?$"
_OPENING = rf"^((?:19[7-9]\d|2\d{{3}})-\d\d-\d\d) ({HOUR})-({HOUR}|24:00)$"
_A_LEAP_YEAR = "2024-"
FILE_NAME_MAX = 200
"""Characters."""
HOLIDAYS_MAX = 20_000
"""Closed days and parts of days of one calendar as it is applied."""


def _closing(written: str) -> str:
    found = re.fullmatch(_CLOSING, written)
    if not found:
        raise ValueError(
            "write a closed day as 2025-06-09, or 12-24 for every year, "
            "and for a part of it 12-24 12:00-24:00"
        )
    year, day, start, end = found.groups()
    _require_day((year or _A_LEAP_YEAR) + day, written)
    if start and start >= end:
        raise ValueError("a part of a day ends after it begins, at the latest at 24:00")
    return written


def _opening(written: str) -> str:
    found = re.fullmatch(_OPENING, written)
    if not found:
        raise ValueError(
            "write an extra opening with its date and hours, such as "
            "2025-12-06 09:00-12:00"
        )
    day, opens, closes = found.groups()
    _require_day(day, written)
    if opens == closes:
        raise ValueError(
            "an extra opening lasts longer than nothing: write 00:00-24:00 for a day"
        )
    return written


def _require_day(day: str, written: str) -> None:
    try:
        date.fromisoformat(day)
    except ValueError as wrong:
        raise ValueError(f"{written} is no day of the calendar: correct it") from wrong


def _file(written: str) -> str:
    path = PurePosixPath(written)
    beside = not path.is_absolute() and ".." not in path.parts and "\\" not in written
    if not beside or path.suffix.lower() != ".ics":
        raise ValueError(
            "name an iCalendar file beside permanence.yaml or in a folder there, such "
            "as closings.ics"
        )
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

Opening = Annotated[
    str,
    StringConstraints(max_length=40),
    AfterValidator(_opening),
    Field(json_schema_extra={"pattern": _OPENING}, examples=["2025-12-06 09:00-12:00"]),
]
"""`2025-12-06 09:00-12:00`; into the next day where it closes before it opens."""

ClosingFile = Annotated[
    str,
    StringConstraints(max_length=FILE_NAME_MAX),
    AfterValidator(_file),
    Field(examples=["closings.ics"]),
]
"""The name of an iCalendar file, from the folder in which the policy lies."""

REGION = r"^[A-Z]{2}(-[A-Za-z0-9]{1,12})?$"
HolidayRegion = Annotated[
    str, StringConstraints(pattern=REGION), Field(examples=["FR", "CA-QC"])
]


class Calendar(Clause):
    """Open hours of a week in a zone, less closed days, and with extra openings."""

    timezone: Zone
    weekly_hours: WeeklyHours
    public_holidays: HolidayRegion | None = None
    """Country, or country and subdivision: `FR`, `CA-QC`."""
    closed: tuple[Closing, ...] = ()
    """Own closed days and parts of days, beside the public holidays."""
    closed_in: tuple[ClosingFile, ...] = ()
    """iCalendar files whose events close; read when a policy is checked or applied."""
    open: tuple[Opening, ...] = ()
    """Extra openings. Each wins over the week and over whatever closes that day."""
    holidays: tuple[Closing, ...] = ()
    """All closed days. Filled when a policy is applied; of what is closed rules read
    this alone."""
