"""What is promised: times to answer, to own, to resolve, to say how it goes."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared.policy.clause import Clause
from shared.policy.durations import Duration, Dwell, Percent

Channel = Literal["phone", "email", "web", "chat", "in_person"]
PauseReason = Literal["user", "vendor", "change", "problem"]
SupportLevel = Literal["n1", "n2", "n3"]


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


def _rising(percents: tuple[int, ...]) -> tuple[int, ...]:
    if any(later <= earlier for earlier, later in pairwise(percents)):
        raise ValueError("write the warnings by rising share, each once")
    return percents


class TargetSet(Clause):
    """The targets of a contract, in open hours of its calendar."""

    answer: Mapping[Channel, Duration] = {}
    """Until a contact is answered, per channel; on the wall clock."""
    tto: TimeToOwn
    ttr: TimeToResolve
    update: NextUpdate = NextUpdate()
    warn: Annotated[
        tuple[Percent, ...],
        AfterValidator(_rising),
        Field(json_schema_extra={"default": ["75%"]}),
    ] = (75,)
    """Shares of a target after which the desk is warned."""
    levels: Mapping[SupportLevel, Dwell] = {}
    """How long an incident may stay at a support level: a time or a share of TTR."""
