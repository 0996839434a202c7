"""An SLA clock: its state, extensions and attribution, warnings and working time.

A clock measures one target in one cycle of an incident. Personal text is not part of
it: that stays in the log, encrypted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, NamedTuple, assert_never

from shared.domain import events
from shared.domain.policy.targets import Channel, PauseReason
from shared.domain.working_time import Hours, Span, due, elapsed

ExtensionState = Literal["proposed", "accepted", "refused", "expired"]


@dataclass(frozen=True)
class Extension:
    """An extension proposed to the users, after some of its events.

    `answered_by` is the person who answered, `recorded_by` the one who recorded the
    answer.
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
    """It was accepted after the target had been breached."""

    @property
    def is_open(self) -> bool:
        """Whether it can still be answered."""
        return self.state == "proposed"


@dataclass(frozen=True)
class Attribution:
    """The party responsible for a breach, according to the last attribution."""

    party: events.Party
    who: str | None
    by: str
    at: datetime
    evidence: tuple[int, ...]


class ClockName(NamedTuple):
    """Identifies a clock of an incident."""

    target: events.Target
    cycle: int
    round: int

    @property
    def text(self) -> str:
        """The same in words."""
        return f"{self.target}, cycle {self.cycle}, round {self.round}"


class State(StrEnum):
    """The state of a clock. The last three are final; breached is never undone."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"


ENDED = frozenset({State.MET, State.BREACHED, State.CANCELLED})


@dataclass(frozen=True)
class Clock:
    """An SLA target after some of its events. Durations are working seconds.

    `standing_since` is set while it does not run: paused, or ended. A breached clock
    continues to measure until the work is done (`ended_at`), to determine the overrun.
    """

    name: ClockName
    state: State
    policy: int
    contract: str
    candidates: tuple[str, ...]
    calendar: str
    seconds: int
    """The target that counts: that of the contract, or the extension if longer."""
    original_seconds: int
    """The target of the contract; extensions do not change it."""
    warn: tuple[int, ...]
    """Percentages of the target at which the desk is warned."""
    stops_at: Literal["restored", "resolved"]
    paused_by: tuple[PauseReason, ...]
    started_at: datetime
    set_at: datetime
    """Since when this target applies: nothing is warned or breached before."""
    due_at: datetime | None
    stopped: tuple[events.Stop, ...] = ()
    standing_since: datetime | None = None
    standing_for: PauseReason | None = None
    warned: tuple[int, ...] = ()
    """Percentages already warned at; reset if the target changes."""
    warn_offsets: tuple[int, ...] = ()
    """Further warnings, in working seconds relative to the due time."""
    warned_offsets: tuple[int, ...] = ()
    """Those already warned at, reset likewise."""
    retargets: int = 0
    """How often the target was changed."""
    breached_at: datetime | None = None
    detected_at: datetime | None = None
    ended_at: datetime | None = None
    """When it was met, cancelled, or completed late."""
    cancelled_for: str | None = None
    """The reason of `sla.cancelled`, while it is cancelled."""
    elapsed_seconds: int | None = None
    """Working seconds consumed when it ended or was paused."""
    overrun_seconds: int | None = None
    agreed_seconds: int | None = None
    """What a user has agreed to; after a breach, in addition to the target."""
    agreed_due_at: datetime | None = None
    """The instant that was agreed on; later pauses have moved the due time."""
    extensions: tuple[Extension, ...] = ()
    attributed: Attribution | None = None
    kept_by: Literal["delivery"] | None = None
    """What meets a promised update: see `sla.armed`."""

    @property
    def is_open(self) -> bool:
        """Whether it can still end."""
        return self.state not in ENDED

    @property
    def measures(self) -> bool:
        """Whether it still measures, even if overdue."""
        return self.is_open or (self.state is State.BREACHED and self.ended_at is None)

    @property
    def asked(self) -> Extension | None:
        """The extension that is proposed and not answered."""
        return next((each for each in self.extensions if each.is_open), None)

    @property
    def longest(self) -> int:
        """The target or the agreed working seconds, whichever is more."""
        return max(self.seconds, self.agreed_seconds or 0)


def named(clocks: Iterable[Clock], name: ClockName) -> Clock | None:
    """Return the clock with that name, or None."""
    return next((clock for clock in clocks if clock.name == name), None)


def agreed(clock: Clock, event: events.SlaAgreement) -> Clock:
    """Return the clock after an event about an extension or an attribution."""
    match event:
        case events.SlaExtensionProposed():
            extensions = (*clock.extensions, _proposed(event))
            return replace(clock, extensions=extensions)
        case events.SlaExtensionAccepted():
            return _accepted(clock, event)
        case events.SlaExtensionRefused():
            return _answered(
                clock,
                event.extension,
                state="refused",
                answered_at=event.refused_at,
                answered_by=event.refused_by,
                recorded_by=event.by,
                channel=event.channel,
            )
        case events.SlaExtensionExpired():
            at = event.expired_at
            return _answered(clock, event.extension, state="expired", answered_at=at)
        case events.SlaBreachAttributed():
            whose = (event.party, event.who, event.by, event.at, event.evidence)
            return replace(clock, attributed=Attribution(*whose))
        case _:
            assert_never(event)


def _proposed(event: events.SlaExtensionProposed) -> Extension:
    return Extension(
        ref=event.extension,
        state="proposed",
        proposed_by=event.by,
        proposed_at=event.proposed_at,
        proposed_due_at=event.proposed_due_at,
        was_due_at=event.was_due_at,
        expires_at=event.expires_at,
    )


def _accepted(clock: Clock, event: events.SlaExtensionAccepted) -> Clock:
    """Return the clock with the extension, and its target, unless it was breached."""
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


def _answered(clock: Clock, ref: str, **answer: Any) -> Clock:  # noqa: ANN401 # fields of Extension
    extensions = tuple(
        replace(each, **answer) if each.ref == ref else each
        for each in clock.extensions
    )
    return replace(clock, extensions=extensions)


WHOLE = 100
"""Percentage."""


class Mark(NamedTuple):
    """A percentage of the target, or an offset in working seconds from the due time."""

    percent: int | None = None
    offset: int | None = None
    """Negative if before it is due."""

    @property
    def is_late(self) -> bool:
        """Whether it comes after the target is exceeded."""
        return (self.percent or 0) > WHOLE or (self.offset or 0) > 0


def unsaid(clock: Clock) -> Iterator[tuple[Mark, int]]:
    """Yield the marks of this target not yet warned at, with their seconds.

    Marks before the start of the clock are left out.
    """
    for percent in clock.warn:
        if percent not in clock.warned:
            yield Mark(percent), clock.seconds * percent // WHOLE
    for offset in clock.warn_offsets:
        if offset not in clock.warned_offsets and clock.seconds + offset > 0:
            yield Mark(offset=offset), clock.seconds + offset


def whole(at: datetime) -> datetime:
    """Return the instant without fractions: clocks measure whole seconds only."""
    return at.replace(microsecond=0)


def pauses(clock: Clock, until: datetime) -> tuple[Span, ...]:
    """Return the periods in which the clock was stopped, up to `until`."""
    past = tuple((stop.since, stop.until) for stop in clock.stopped)
    if clock.standing_since is None or clock.standing_since >= until:
        return past
    return (*past, (clock.standing_since, until + timedelta(seconds=1)))


def stood(clock: Clock, at: datetime) -> tuple[Span, ...]:
    """Return the periods in which the clock was stopped, if it continued at `at`."""
    past = tuple((stop.since, stop.until) for stop in clock.stopped)
    if clock.standing_since is None:
        return past
    return (*past, (clock.standing_since, max(at, clock.standing_since)))


def spent(clock: Clock, hours: Hours, at: datetime) -> int:
    """Return the working seconds consumed at `at`, or at its end if earlier."""
    until = whole(at)
    if clock.ended_at is not None:
        until = min(until, clock.ended_at)
    return elapsed(hours, clock.started_at, until, pauses(clock, until))


def left(clock: Clock, hours: Hours, at: datetime) -> int:
    """Return the working seconds left at `at`; negative if overdue."""
    return clock.seconds - spent(clock, hours, at)


def original_due(clock: Clock, hours: Hours) -> datetime | None:
    """Return when it would be due by the contract alone; None if nothing is due."""
    if clock.due_at is None or clock.seconds == clock.original_seconds:
        return clock.due_at
    past = [(stop.since, stop.until) for stop in clock.stopped]
    return due(hours, clock.started_at, clock.original_seconds, past)
