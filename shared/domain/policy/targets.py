"""What is promised: times to answer, to own, to resolve, to say how it goes.

When the desk is warned of a target: at a share of it, or so long before or after.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from shared.domain.policy.clause import Clause
from shared.domain.policy.durations import Duration, Dwell, Stays, duration_text

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


Channel = Literal["phone", "email", "web", "chat", "in_person"]
ReportKind = Literal["user", "monitoring", "desk"]
"""Who noticed an incident: users, sources, or the desk by itself."""
PauseReason = Literal["user", "vendor", "change", "problem"]
SupportLevel = Literal["n1", "n2", "n3"]
RANK: Mapping[SupportLevel, int] = {"n1": 1, "n2": 2, "n3": 3}
"""How high a support level is."""


class TimeToOwn(Clause):
    """TTO (GTI): until a person has taken the incident on. Nothing pauses it."""

    p1: Duration
    p2: Duration
    p3: Duration
    p4: Duration


class TimeToResolve(Clause):
    """TTR (GTR): until service is back, or the incident resolved."""

    p1: Duration
    p2: Duration
    p3: Duration
    p4: Duration
    stops_at: Literal["restored", "resolved"] = "restored"
    paused_by: tuple[PauseReason, ...] = ("user",)
    """Pauses for other reasons are ours towards the client and stop nothing."""


class NextUpdate(Clause):
    """The user hears from the desk at least this often; absent: no such promise."""

    p1: Duration | None = None
    p2: Duration | None = None
    p3: Duration | None = None
    p4: Duration | None = None


class LevelTargets(Clause):
    """OLA: what a support level owes the desk, beside what users are promised.

    It tells nobody, and moves nothing but at n1: `levels` is when an incident goes on.
    """

    own: Duration | None = None
    """Until somebody at the level has taken it on, since it came there."""
    work: Dwell | None = None
    """A time or a share of TTR, which stands as TTR does. Once over, n1 is left."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.own is None and self.work is None:
            raise ValueError("say `own`, `work` or both, or leave the level out")
        return self


class TargetSet(Clause):
    """The targets of a contract, in open hours of its calendar."""

    answer: Mapping[Channel, Duration] = {}
    """Until a contact is answered, per channel; on the wall clock."""
    tto: TimeToOwn
    ttr: TimeToResolve
    update: NextUpdate = NextUpdate()
    warn: Annotated[
        tuple[Mark, ...],
        AfterValidator(in_order),
        Field(max_length=MARKS_MAX, json_schema_extra={"default": ["75%"]}),
    ] = (75,)
    """When the desk is warned: at shares of it, or times before or after it is due."""
    levels: Mapping[SupportLevel, Stays] = {}
    """How long it may stay at a level: a time, a share of TTR, or the first of both."""
    ola: Mapping[SupportLevel, LevelTargets] = {}
    """What is agreed within the house beside, by support level."""
