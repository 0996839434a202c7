"""What people agreed on about a clock: longer delays, and whose its breach is.

No personal words are in it: they stay in the log, sealed.

What each agreement makes of the clock it is about. Meaning only, no rule.

One clock: a target of a cycle of an incident, and how it stands.

The points of a target at which the desk is warned, and those it still is to be.

How much working time a clock has consumed and has left.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, NamedTuple, assert_never

from shared.domain.events import SlaAgreement
from shared.domain.events.sla import (
    Party,
    SlaBreachAttributed,
    SlaExtensionAccepted,
    SlaExtensionExpired,
    SlaExtensionProposed,
    SlaExtensionRefused,
    Stop,
    Target,
)
from shared.domain.policy.targets import Channel, PauseReason
from shared.domain.working_time import Hours, Span, due, elapsed

ExtensionState = Literal["proposed", "accepted", "refused", "expired"]


@dataclass(frozen=True)
class Extension:
    """A longer delay that the users were asked for, after some of its events.

    `answered_by` is the person whose word it is, `recorded_by` who took it down.
    """

    ref: str
    state: ExtensionState
    proposed_by: str
    proposed_at: datetime
    proposed_due_at: datetime
    was_due_at: datetime | None
    expires_at: datetime
    answered_at: datetime | None = None
    answered_by: str | None = None
    recorded_by: str | None = None
    channel: Channel | None = None
    after_breach: bool = False
    """It was accepted when the promise was broken already."""

    @property
    def is_open(self) -> bool:
        """Whether it can still be answered."""
        return self.state == "proposed"


@dataclass(frozen=True)
class Attribution:
    """Whose a breach is, by the last word of a manager."""

    party: Party
    who: str | None
    by: str
    at: datetime
    evidence: tuple[int, ...]


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


def agreed(clock: Clock, event: SlaAgreement) -> Clock:
    """Return the clock after an agreement."""
    match event:
        case SlaExtensionProposed():
            extensions = (*clock.extensions, _proposed(event))
            return replace(clock, extensions=extensions)
        case SlaExtensionAccepted():
            return _accepted(clock, event)
        case SlaExtensionRefused():
            return _answered(
                clock,
                event.extension,
                state="refused",
                answered_at=event.refused_at,
                answered_by=event.refused_by,
                recorded_by=event.by,
                channel=event.channel,
            )
        case SlaExtensionExpired():
            at = event.expired_at
            return _answered(clock, event.extension, state="expired", answered_at=at)
        case SlaBreachAttributed():
            whose = (event.party, event.who, event.by, event.at, event.evidence)
            return replace(clock, attributed=Attribution(*whose))
        case _:
            assert_never(event)


def _proposed(event: SlaExtensionProposed) -> Extension:
    return Extension(
        ref=event.extension,
        state="proposed",
        proposed_by=event.by,
        proposed_at=event.proposed_at,
        proposed_due_at=event.proposed_due_at,
        was_due_at=event.was_due_at,
        expires_at=event.expires_at,
    )


def _accepted(clock: Clock, event: SlaExtensionAccepted) -> Clock:
    """Return the clock with what was agreed, and held to it unless it was broken."""
    after = replace(
        _answered(
            clock,
            event.extension,
            state="accepted",
            answered_at=event.accepted_at,
            answered_by=event.accepted_by,
            recorded_by=event.by,
            channel=event.channel,
            after_breach=event.after_breach,
        ),
        agreed_seconds=event.seconds,
        agreed_due_at=event.agreed_due_at,
    )
    if event.after_breach:
        return after
    return replace(
        after,
        seconds=event.seconds,
        due_at=event.due_at,
        set_at=event.accepted_at,
        warned=(),
        warned_offsets=(),
        retargets=clock.retargets + 1,
    )


def _answered(clock: Clock, ref: str, **answer: Any) -> Clock:  # noqa: ANN401 # fields of it
    extensions = tuple(
        replace(each, **answer) if each.ref == ref else each
        for each in clock.extensions
    )
    return replace(clock, extensions=extensions)


WHOLE = 100
"""Percent."""


class Mark(NamedTuple):
    """A share of the target, or an offset in working seconds from where it is due."""

    percent: int | None = None
    offset: int | None = None
    """Negative: before it is due."""

    @property
    def is_late(self) -> bool:
        """Whether it comes after the target is used up."""
        return (self.percent or 0) > WHOLE or (self.offset or 0) > 0


def unsaid(clock: Clock) -> Iterator[tuple[Mark, int]]:
    """Yield the marks of this target that nobody was warned at, and their seconds.

    What would come before the clock began is no warning, and left out.
    """
    for percent in clock.warn:
        if percent not in clock.warned:
            yield Mark(percent), clock.seconds * percent // WHOLE
    for offset in clock.warn_offsets:
        if offset not in clock.warned_offsets and clock.seconds + offset > 0:
            yield Mark(offset=offset), clock.seconds + offset


def whole(at: datetime) -> datetime:
    """Return the second an instant lies in: clocks know whole seconds only."""
    return at.replace(microsecond=0)


def pauses(clock: Clock, until: datetime) -> tuple[Span, ...]:
    """Return the times in which the clock stood, up to `until`."""
    past = tuple((stop.since, stop.until) for stop in clock.stopped)
    if clock.standing_since is None or clock.standing_since >= until:
        return past
    return (*past, (clock.standing_since, until + timedelta(seconds=1)))


def stood(clock: Clock, at: datetime) -> tuple[Span, ...]:
    """Return the times in which the clock stood, as though it went on at `at`."""
    past = tuple((stop.since, stop.until) for stop in clock.stopped)
    if clock.standing_since is None:
        return past
    return (*past, (clock.standing_since, max(at, clock.standing_since)))


def spent(clock: Clock, hours: Hours, at: datetime) -> int:
    """Return the working seconds consumed at `at`, or when it ended if before."""
    until = whole(at)
    if clock.ended_at is not None:
        until = min(until, clock.ended_at)
    return elapsed(hours, clock.started_at, until, pauses(clock, until))


def left(clock: Clock, hours: Hours, at: datetime) -> int:
    """Return the working seconds left at `at`; negative: so much over."""
    return clock.seconds - spent(clock, hours, at)


def original_due(clock: Clock, hours: Hours) -> datetime | None:
    """Return when it would be due by the contract alone; None where nothing is due."""
    if clock.due_at is None or clock.seconds == clock.original_seconds:
        return clock.due_at
    past = [(stop.since, stop.until) for stop in clock.stopped]
    return due(hours, clock.started_at, clock.original_seconds, past)
