"""The open hours of an ordinary week: `mon-fri: ["08:00-12:00", "13:00-18:00"]`."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from shared.policy.local_times import HOUR

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_ONE = "|".join(DAYS)
_KEY = rf"^({_ONE})(?:-({_ONE}))?$"
_WINDOW = rf"^({HOUR})-({HOUR}|24:00)$"
_DAY_MINUTES = 24 * 60
_EXAMPLE = 'write the open hours by day, such as mon-fri: ["08:00-18:00"]'


class Window(NamedTuple):
    """Open from `opens` until `closes`, both `HH:MM`; into the next day where less."""

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
        raise ValueError(f"{key} is no day: write mon, tue … sun, or a span as mon-fri")
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
        raise ValueError(f"{text} is no window: write 08:00-18:00, at most until 24:00")
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
"""Kept and written by single days, as `{"mon": [["08:00", "18:00"]]}`."""
