"""When the desk is warned of a target: at a share of it, or so long before or after."""

import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from shared.policy.durations import duration_text

SHARE_MAX = 1_000
"""Percent of a target; above 100 it is late."""
MARKS_MAX = 20
"""Warnings of one set of targets."""
_SHARE = r"^([1-9]\d{0,2}|1000)%$"
_OFFSET = r"^(?=[1-9])(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)? (before|after)$"


def _mark(written: object) -> timedelta | int:
    text = written if isinstance(written, str) else ""
    if share := re.fullmatch(_SHARE, text):
        return int(share[1])
    if not (offset := re.fullmatch(_OFFSET, text)):
        raise ValueError(
            f"write a share up to {SHARE_MAX}% such as 75%, or a time and which side "
            "of the due instant it lies on: 30m before, 1h30m after"
        )
    hours, minutes, seconds = (int(part or 0) for part in offset.groups()[:3])
    length = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -length if offset[4] == "before" else length


def _text(mark: timedelta | int) -> str:
    if isinstance(mark, int):
        return f"{mark}%"
    side = "before" if mark < timedelta() else "after"
    return f"{duration_text(abs(mark))} {side}"


Mark = Annotated[
    timedelta | int,
    PlainValidator(_mark),
    PlainSerializer(_text),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"{_SHARE}|{_OFFSET}",
            "examples": ["75%", "30m before", "1h after"],
        }
    ),
]
"""An int: that many percent of the target. A time: from where it is due, or before."""


def in_order(marks: tuple[timedelta | int, ...]) -> tuple[timedelta | int, ...]:
    """Return marks of which each comes once: shares rise, times go on. ValueError."""
    if any(later <= earlier for earlier, later in pairwise(percents(marks))):
        raise ValueError("write the warnings by rising share, each once")
    if any(later <= earlier for earlier, later in pairwise(offsets(marks))):
        raise ValueError("write the times from the first to the last, each once")
    return marks


def percents(marks: Sequence[timedelta | int]) -> tuple[int, ...]:
    """Return the shares among marks."""
    return tuple(mark for mark in marks if isinstance(mark, int))


def offsets(marks: Sequence[timedelta | int]) -> tuple[int, ...]:
    """Return the times among marks, in seconds from the due instant."""
    times = (mark for mark in marks if not isinstance(mark, int))
    return tuple(int(time.total_seconds()) for time in times)
