"""What is promised: times to answer, to own, to resolve, to say how it goes."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from shared.policy.clause import Clause
from shared.policy.durations import Duration, Dwell, Stays
from shared.policy.marks import MARKS_MAX, Mark, in_order

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
