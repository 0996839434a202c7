"""One clock: a target of a cycle of an incident, and how it stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from shared.events.sla import Stop, Target
from shared.policy.targets import PauseReason
from shared.sla.agreement import Attribution, Extension


class ClockName(NamedTuple):
    """What tells the clocks of an incident apart."""

    target: Target
    cycle: int
    round: int


class State(StrEnum):
    """How a clock stands. The last three are ends; breached is never undone."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"


ENDED = frozenset({State.MET, State.BREACHED, State.CANCELLED})


@dataclass(frozen=True)
class Clock:
    """A promise after some of its events. Durations are working seconds.

    `standing_since` is set while it does not run: paused, or over. A breached clock
    measures on until what was promised is done (`ended_at`), to tell by how much.
    """

    name: ClockName
    state: State
    policy: int
    contract: str
    candidates: tuple[str, ...]
    calendar: str
    seconds: int
    """The target that counts: what is promised, or what was agreed if that is more."""
    original_seconds: int
    """What the contract promises; no agreement changes it."""
    warn: tuple[int, ...]
    """Shares of the target, in percent, at which the desk is warned."""
    stops_at: Literal["restored", "resolved"]
    paused_by: tuple[PauseReason, ...]
    started_at: datetime
    set_at: datetime
    """Since when this target counts: nothing can warn or be breached before."""
    due_at: datetime | None
    stopped: tuple[Stop, ...] = ()
    standing_since: datetime | None = None
    standing_for: PauseReason | None = None
    warned: tuple[int, ...] = ()
    """Shares it was warned at; after another target, again."""
    warn_offsets: tuple[int, ...] = ()
    """Working seconds from where it is due at which the desk is warned, too."""
    warned_offsets: tuple[int, ...] = ()
    """Those it was warned at, as above."""
    retargets: int = 0
    """How often another target was set."""
    breached_at: datetime | None = None
    detected_at: datetime | None = None
    ended_at: datetime | None = None
    """When it was met, cancelled, or done too late."""
    cancelled_for: str | None = None
    """The reason of `sla.cancelled`, while that is how it stands."""
    elapsed_seconds: int | None = None
    """How much was consumed when it ended or stood."""
    overrun_seconds: int | None = None
    agreed_seconds: int | None = None
    """What a user has agreed to; after a breach, beside what it is held to."""
    agreed_due_at: datetime | None = None
    """The instant that was agreed on; pauses since then have moved what is due."""
    extensions: tuple[Extension, ...] = ()
    attributed: Attribution | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can still end."""
        return self.state not in ENDED

    @property
    def measures(self) -> bool:
        """Whether it still counts, be it late."""
        return self.is_open or (self.state is State.BREACHED and self.ended_at is None)

    @property
    def asked(self) -> Extension | None:
        """The longer delay that is proposed and not answered."""
        return next((each for each in self.extensions if each.is_open), None)

    @property
    def longest(self) -> int:
        """The working seconds that were agreed on or promised, whichever are more."""
        return max(self.seconds, self.agreed_seconds or 0)


def named(clocks: Iterable[Clock], name: ClockName) -> Clock | None:
    """Return the clock of that name, None where there is none."""
    return next((clock for clock in clocks if clock.name == name), None)
