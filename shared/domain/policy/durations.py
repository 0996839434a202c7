"""Durations in h, m and s; not in days, whose length depends on the calendar."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

_DURATION = r"^(?=\d)(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)?$"
_PERCENT = r"^([1-9]\d?|100)%$"
NEVER: Literal["never"] = "never"


def _delay(written: object) -> timedelta:
    found = re.fullmatch(_DURATION, written) if isinstance(written, str) else None
    if not found:
        raise ValueError(
            "write a duration in h, m and s, such as 25s, 15m or 1h30m; at most 99999h"
        )
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _duration(written: object) -> timedelta:
    duration = _delay(written)
    if not duration:
        raise ValueError("write a duration longer than nothing, such as 15m")
    return duration


def _patience(written: object) -> timedelta | Literal["never"]:
    if written == NEVER:
        return NEVER
    try:
        return _duration(written)
    except ValueError as error:
        raise ValueError(f"{error}; or `{NEVER}`") from error


def _percent(written: object) -> int:
    found = re.fullmatch(_PERCENT, written) if isinstance(written, str) else None
    if not found:
        raise ValueError("write a percentage from 1% to 100%")
    return int(found[1])


def _dwell(written: object) -> timedelta | int:
    return _percent(written) if str(written).endswith("%") else _duration(written)


def _stays(written: object) -> tuple[timedelta | int, ...]:
    if not isinstance(written, list | tuple):
        return (_dwell(written),)
    stays = tuple(map(_dwell, written))
    if sorted(isinstance(stay, int) for stay in stays) != [False, True]:
        raise ValueError("write a time, a share of TTR, or one of each: [20m, 25%]")
    return stays


def _stays_text(stays: tuple[timedelta | int, ...]) -> str | list[str]:
    return _text(stays[0]) if len(stays) == 1 else [_text(stay) for stay in stays]


def duration_text(duration: timedelta) -> str:
    """Return a duration as written in a policy: 90 minutes → `1h30m`, zero → `0m`."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0m"


def _text(dwell: timedelta | int) -> str:
    return f"{dwell}%" if isinstance(dwell, int) else duration_text(dwell)


def _patience_text(patience: timedelta | Literal["never"]) -> str:
    return patience if isinstance(patience, str) else duration_text(patience)


def _schema(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema(
        {"type": "string", "pattern": pattern, "examples": list(examples)}
    )


_DWELL_SCHEMA = {
    "type": "string",
    "pattern": f"{_DURATION}|{_PERCENT}",
    "examples": ["20m", "50%"],
}
Delay = Annotated[
    timedelta,
    PlainValidator(_delay),
    PlainSerializer(_text),
    _schema(_DURATION, "0m", "15m"),
]
"""A duration that may be zero: `0m`."""
Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    PlainSerializer(_text),
    _schema(_DURATION, "25s", "1h30m"),
]
Percent = Annotated[
    int,
    PlainValidator(_percent),
    PlainSerializer(_text),
    _schema(_PERCENT, "75%"),
]
Dwell = Annotated[
    timedelta | int,
    PlainValidator(_dwell),
    PlainSerializer(_text),
    _schema(f"{_DURATION}|{_PERCENT}", "20m", "50%"),
]
"""A duration, or an int: a percentage of the target it belongs to."""
Stays = Annotated[
    tuple[timedelta | int, ...],
    PlainValidator(_stays),
    PlainSerializer(_stays_text),
    WithJsonSchema(
        {
            "anyOf": [
                _DWELL_SCHEMA,
                {
                    "type": "array",
                    "items": _DWELL_SCHEMA,
                    "minItems": 2,
                    "maxItems": 2,
                    "examples": [["20m", "25%"]],
                },
            ]
        }
    ),
]
"""A duration or percentage, or one of each: whichever ends first counts."""
Patience = Annotated[
    timedelta | Literal["never"],
    PlainValidator(_patience),
    PlainSerializer(_patience_text),
    _schema(f"{_DURATION}|^{NEVER}$", "24h", NEVER),
]
"""A duration, or `never`."""
