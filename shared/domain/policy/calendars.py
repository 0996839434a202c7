"""Coverage calendars: the hours in which SLA clocks run.

The open hours of an ordinary week: `mon-fri: ["08:00-12:00", "13:00-18:00"]`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Annotated, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from shared.domain.policy.clause import Clause
from shared.domain.policy.local_times import HOUR, Zone

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_ONE = "|".join(DAYS)
_KEY = rf"^({_ONE})(?:-({_ONE}))?$"
_WINDOW = rf"^({HOUR})-({HOUR}|24:00)$"
_DAY_MINUTES = 24 * 60
_EXAMPLE = 'write the open hours by day, such as mon-fri: ["08:00-18:00"]'


class Window(NamedTuple):
    """Open from `opens` until `closes`, both `HH:MM`; if less, until the next day."""

    opens: str
    closes: str


WeekOfWindows = Mapping[Day, tuple[Window, ...]]


def _week(written: object) -> WeekOfWindows:
    if not isinstance(written, Mapping):
        raise ValueError(_EXAMPLE)  # noqa: TRY004 - pydantic reports only ValueError
    week: dict[Day, tuple[Window, ...]] = {}
    for key, windows in written.items():
        for day in _days(key):
            if day in week:
                raise ValueError(f"{day} is given twice: name each day once")
            week[day] = _windows(windows)
    _refuse_overlaps(week)
    return {day: week[day] for day in DAYS if day in week}


def _days(key: object) -> Iterator[Day]:
    found = re.fullmatch(_KEY, str(key))
    if not found:
        raise ValueError(
            f"{key} is not a day: write mon, tue … sun, or a span as mon-fri"
        )
    first, last = (DAYS.index(day) for day in (found[1], found[2] or found[1]))
    for step in range((last - first) % len(DAYS) + 1):
        yield DAYS[(first + step) % len(DAYS)]


def _windows(written: object) -> tuple[Window, ...]:
    if not isinstance(written, list | tuple):
        raise ValueError(_EXAMPLE)  # noqa: TRY004 - pydantic reports only ValueError
    return tuple(_window(window) for window in written)


def _window(written: object) -> Window:
    parts = written if isinstance(written, list | tuple) else [written]
    text = "-".join(str(part) for part in parts)
    found = re.fullmatch(_WINDOW, text)
    if not found or found[1] == found[2]:
        raise ValueError(
            f"{text} is not a window: write 08:00-18:00, at most until 24:00"
        )
    return Window(found[1], found[2])


def _refuse_overlaps(week: WeekOfWindows) -> None:
    spans = sorted(
        _span(DAYS.index(day), window)
        for day, windows in week.items()
        for window in windows
    )
    if not spans:
        raise ValueError("at least one window must be open")
    first = spans[0][0] + len(DAYS) * _DAY_MINUTES, 0, spans[0][2]
    for (_, end, one), (start, _, other) in pairwise([*spans, first]):
        if start < end:
            raise ValueError(f"{one} and {other} overlap: make one window of them")


def _span(day: int, window: Window) -> tuple[int, int, str]:
    """Return the minutes of the week at which `window` opens and closes, and a name."""
    opens, closes = (_minutes(time) for time in window)
    length = (closes - opens) % _DAY_MINUTES or _DAY_MINUTES
    start = day * _DAY_MINUTES + opens
    return start, start + length, f"{DAYS[day]} {window.opens}-{window.closes}"


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def _plain(week: WeekOfWindows) -> dict[str, list[list[str]]]:
    return {day: [list(window) for window in windows] for day, windows in week.items()}


_WINDOW_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": _WINDOW},
        {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
    ]
}

WeeklyHours = Annotated[
    WeekOfWindows,
    BeforeValidator(_week),
    PlainSerializer(_plain),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "examples": ['{mon-fri: ["08:00-18:00"]}'],
            "patternProperties": {_KEY: {"type": "array", "items": _WINDOW_SCHEMA}},
        }
    ),
]
"""Stored and written by single days, as `{"mon": [["08:00", "18:00"]]}`."""


_CLOSING = rf"^(\d{{4}}-)?(\d\d-\d\d)(?: ({HOUR})-({HOUR}|24:00))?$"
_OPENING = rf"^((?:19[7-9]\d|2\d{{3}})-\d\d-\d\d) ({HOUR})-({HOUR}|24:00)$"
_A_LEAP_YEAR = "2024-"
FILE_NAME_MAX = 200
"""Maximum length in characters."""
HOLIDAYS_MAX = 20_000
"""Closed days and parts of days of one calendar when it is applied."""


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
        raise ValueError(
            f"{written} is not a day of the calendar: correct it"
        ) from wrong


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
"""`2025-12-06 09:00-12:00`; if it closes before it opens, until the next day."""

ClosingFile = Annotated[
    str,
    StringConstraints(max_length=FILE_NAME_MAX),
    AfterValidator(_file),
    Field(examples=["closings.ics"]),
]
"""The name of an iCalendar file, relative to the folder of the policy."""

REGION = r"^[A-Z]{2}(-[A-Za-z0-9]{1,12})?$"
HolidayRegion = Annotated[
    str, StringConstraints(pattern=REGION), Field(examples=["FR", "CA-QC"])
]


class Calendar(Clause):
    """The open hours of a week in a zone, minus closed days, plus extra openings."""

    timezone: Zone
    weekly_hours: WeeklyHours
    public_holidays: HolidayRegion | None = None
    """Country, or country and subdivision: `FR`, `CA-QC`."""
    closed: tuple[Closing, ...] = ()
    """Further closed days and parts of days, besides the public holidays."""
    closed_in: tuple[ClosingFile, ...] = ()
    """iCalendar files with closed times; read when a policy is checked or applied."""
    open: tuple[Opening, ...] = ()
    """Extra openings. They take precedence over the week and over closed days."""
    holidays: tuple[Closing, ...] = ()
    """All closed days. Filled in when a policy is applied; rules use only this field
    for closed days."""
