"""SLA and OLA targets: times to answer, own, resolve and update; and their warnings.

The desk is warned at a percentage of a target, or at a time before or after it is due.
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
"""Percentage of a target; above 100 it is overdue."""
MARKS_MAX = 20
"""Warnings in one set of targets."""
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
"""An int is a percentage of the target. A time is relative to the due time."""


def in_order(marks: tuple[timedelta | int, ...]) -> tuple[timedelta | int, ...]:
    """Return the marks if each occurs once, in ascending order; else ValueError."""
    if any(later <= earlier for earlier, later in pairwise(percents(marks))):
        raise ValueError("write the warnings by rising share, each once")
    if any(later <= earlier for earlier, later in pairwise(offsets(marks))):
        raise ValueError("write the times from the first to the last, each once")
    return marks


def percents(marks: Sequence[timedelta | int]) -> tuple[int, ...]:
    """Return the percentages among the marks."""
    return tuple(mark for mark in marks if isinstance(mark, int))


def offsets(marks: Sequence[timedelta | int]) -> tuple[int, ...]:
    """Return the times among the marks, in seconds relative to the due time."""
    times = (mark for mark in marks if not isinstance(mark, int))
    return tuple(int(time.total_seconds()) for time in times)


Channel = Literal["phone", "email", "web", "chat", "in_person"]
ReportKind = Literal["user", "monitoring", "desk"]
"""Who noticed an incident: a user, monitoring, or the desk itself."""
PauseReason = Literal["user", "vendor", "change", "problem"]
SupportLevel = Literal["n1", "n2", "n3"]
RANK: Mapping[SupportLevel, int] = {"n1": 1, "n2": 2, "n3": 3}
"""The rank of each support level."""


class TimeToOwn(Clause):
    """TTO (GTI): until a person has taken the incident on. Nothing pauses it."""

    p1: Duration
    p2: Duration
    p3: Duration
    p4: Duration


class TimeToResolve(Clause):
    """TTR (GTR): until service is restored, or the incident resolved."""

    p1: Duration
    p2: Duration
    p3: Duration
    p4: Duration
    stops_at: Literal["restored", "resolved"] = "restored"
    paused_by: tuple[PauseReason, ...] = ("user",)
    """Pauses for other reasons are the desk's responsibility and stop no clock."""


class NextUpdate(Clause):
    """Maximum interval between updates to the user. Default: no such target."""

    p1: Duration | None = None
    p2: Duration | None = None
    p3: Duration | None = None
    p4: Duration | None = None


class LevelTargets(Clause):
    """OLA: the targets of a support level towards the desk, besides those for users.

    It causes no notification and no escalation, except at n1: `levels` defines when an
    incident is escalated.
    """

    own: Duration | None = None
    """Until somebody at the level takes it on, from when it got there."""
    work: Dwell | None = None
    """A time or a percentage of TTR, paused like TTR. At n1 it escalates when over."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.own is None and self.work is None:
            raise ValueError("say `own`, `work` or both, or leave the level out")
        return self


class TargetSet(Clause):
    """The targets of a contract, in open hours of its calendar."""

    answer: Mapping[Channel, Duration] = {}
    """Until a contact is answered, by channel; in wall-clock time."""
    tto: TimeToOwn
    ttr: TimeToResolve
    update: NextUpdate = NextUpdate()
    warn: Annotated[
        tuple[Mark, ...],
        AfterValidator(in_order),
        Field(max_length=MARKS_MAX, json_schema_extra={"default": ["75%"]}),
    ] = (75,)
    """When the desk is warned: percentages, or times before or after the due time."""
    levels: Mapping[SupportLevel, Stays] = {}
    """How long it may stay at a level: a time, a percentage of TTR, or the shorter."""
    ola: Mapping[SupportLevel, LevelTargets] = {}
    """The OLA targets, by support level."""
