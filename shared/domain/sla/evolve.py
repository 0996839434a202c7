"""The effect of each event on the clocks of an incident; no rules."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from shared.domain import events
from shared.domain.incident.state import BrokenHistory
from shared.domain.sla.clock import Clock, ClockName, State, agreed
from shared.domain.sla.reach import require_in_reach

Clocks = tuple[Clock, ...]


def replay(history: Iterable[events.SlaEvent]) -> Clocks:
    """Return the clocks after `history`, in the order in which they were armed."""
    clocks: Clocks = ()
    for event in history:
        clocks = evolve(clocks, event)
    return clocks


def replay_in_reach(history: Iterable[tuple[events.SlaEvent, datetime]]) -> Clocks:
    """Return the clocks after events with the instants when they were recorded.

    Raises `BrokenHistory` also for values with which no open hours can be counted.
    """
    clocks: Clocks = ()
    for event, recorded_at in history:
        require_in_reach(event, recorded_at)
        clocks = evolve(clocks, event)
    return clocks


def evolve(clocks: Clocks, event: events.SlaEvent) -> Clocks:
    """Return the clocks after `event`. Never rejects a recorded event.

    Raises `BrokenHistory` for an event of a clock that was never armed.
    """
    name = ClockName(event.target, event.cycle, event.round)
    if isinstance(event, events.SlaArmed):
        return (*clocks, _armed(name, event))
    if not any(clock.name == name for clock in clocks):
        raise BrokenHistory(f"{event.type} of {name.text}, which was never armed")
    return tuple(
        _moved(clock, event) if clock.name == name else clock for clock in clocks
    )


def _armed(name: ClockName, event: events.SlaArmed) -> Clock:
    return Clock(
        name=name,
        state=State.RUNNING,
        policy=event.policy,
        contract=event.contract,
        candidates=event.candidates,
        calendar=event.calendar,
        seconds=event.seconds,
        original_seconds=event.original_seconds or event.seconds,
        agreed_seconds=event.agreed_seconds,
        warn=event.warn,
        warn_offsets=event.warn_offsets or (),
        stops_at=event.stops_at,
        paused_by=event.paused_by,
        started_at=event.started_at,
        set_at=event.stopped[-1].until if event.stopped else event.started_at,
        due_at=event.due_at,
        stopped=event.stopped,
        kept_by=event.kept_by,
    )


_Moving = (
    events.SlaWarned
    | events.SlaBreached
    | events.SlaMet
    | events.SlaOverran
    | events.SlaCancelled
    | events.SlaPaused
    | events.SlaResumed
    | events.SlaContinued
    | events.SlaRetargeted
    | events.SlaAgreement
)


def _moved(clock: Clock, event: _Moving) -> Clock:
    match event:
        case (
            events.SlaPaused()
            | events.SlaResumed()
            | events.SlaContinued()
            | events.SlaRetargeted()
        ):
            return _turned(clock, event)
        case events.SlaWarned():
            return _warned(clock, event)
        case events.SlaBreached():
            return replace(
                clock,
                state=State.BREACHED,
                breached_at=event.breached_at,
                detected_at=event.at,
            )
        case events.SlaMet() | events.SlaOverran() | events.SlaCancelled():
            return _ended(clock, event)
        case (
            events.SlaExtensionProposed()
            | events.SlaExtensionAccepted()
            | events.SlaExtensionRefused()
            | events.SlaExtensionExpired()
            | events.SlaBreachAttributed()
        ):
            return agreed(clock, event)
        case _:
            assert_never(event)


def _warned(clock: Clock, event: events.SlaWarned) -> Clock:
    if event.percent is not None:
        return replace(clock, warned=(*clock.warned, event.percent))
    offset = (event.after_seconds or 0) - (event.before_seconds or 0)
    return replace(clock, warned_offsets=(*clock.warned_offsets, offset))


def _ended(
    clock: Clock, event: events.SlaMet | events.SlaOverran | events.SlaCancelled
) -> Clock:
    match event:
        case events.SlaMet():
            return replace(
                clock,
                state=State.MET,
                ended_at=event.met_at,
                elapsed_seconds=event.elapsed_seconds,
                standing_since=event.met_at,
                standing_for=None,
            )
        case events.SlaOverran():
            return replace(
                clock,
                ended_at=event.done_at,
                elapsed_seconds=event.elapsed_seconds,
                overrun_seconds=event.overrun_seconds,
                standing_since=event.done_at,
                standing_for=None,
            )
        case events.SlaCancelled():
            return replace(
                clock,
                state=State.CANCELLED,
                ended_at=event.cancelled_at,
                cancelled_for=event.reason,
                # Service was restored: if it fails again, the time between does not
                # count.
                standing_since=(
                    event.cancelled_at
                    if event.reason == "recovered"
                    else clock.standing_since
                ),
                due_at=None,
            )
        case _:
            assert_never(event)


def _turned(
    clock: Clock,
    event: events.SlaPaused
    | events.SlaResumed
    | events.SlaContinued
    | events.SlaRetargeted,
) -> Clock:
    match event:
        case events.SlaPaused():
            return replace(
                clock,
                state=State.PAUSED if clock.is_open else clock.state,
                due_at=None if clock.is_open else clock.due_at,
                standing_since=event.paused_at,
                standing_for=event.reason,
                elapsed_seconds=event.elapsed_seconds,
            )
        case events.SlaResumed():
            return replace(
                _going_on(clock, event.resumed_at),
                state=State.RUNNING if clock.is_open else clock.state,
                due_at=event.due_at,
            )
        case events.SlaContinued():
            return replace(
                _going_on(_stood(clock, event), event.continued_at),
                state=State.BREACHED if clock.breached_at else State.RUNNING,
                ended_at=None,
                cancelled_for=None,
                elapsed_seconds=None,
                due_at=event.due_at,
            )
        case events.SlaRetargeted():
            return _retargeted(clock, event)
        case _:
            assert_never(event)


def _retargeted(clock: Clock, event: events.SlaRetargeted) -> Clock:
    return replace(
        clock,
        policy=event.policy,
        contract=event.contract,
        candidates=event.candidates,
        calendar=event.calendar,
        seconds=event.seconds,
        original_seconds=event.original_seconds or event.seconds,
        agreed_seconds=event.agreed_seconds,
        warn=event.warn,
        warn_offsets=event.warn_offsets or (),
        stops_at=event.stops_at,
        paused_by=event.paused_by,
        set_at=event.retargeted_at,
        due_at=event.due_at,
        warned=(),
        warned_offsets=(),
        retargets=clock.retargets + 1,
    )


def _stood(clock: Clock, event: events.SlaContinued) -> Clock:
    """Return the clock with the stopped periods while no contract covered it."""
    if event.cause != "covered":
        return clock
    stopped = clock.stopped if event.stopped is None else event.stopped
    return replace(clock, stopped=stopped, standing_since=None, standing_for=None)


def _going_on(clock: Clock, at: datetime) -> Clock:
    """Return the clock, stopped until `at` and running since then."""
    if clock.standing_since is None:
        return replace(clock, set_at=at)
    stop = events.Stop(
        since=clock.standing_since, until=at, why=clock.standing_for or "over"
    )
    return replace(
        clock,
        stopped=(*clock.stopped, stop),
        standing_since=None,
        standing_for=None,
        elapsed_seconds=None,
        set_at=at,
    )
