"""Decides which clocks an incident has: armed when promised, retargeted on change.

A longer delay that a user agreed to still counts after the promise itself changes.

Also the clocks of OLAs: what the present support level owes the desk.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.sla_watcher.clocks.case import Case, PolicyOf
from shared.domain.events import SlaEvent
from shared.domain.events.sla import SlaArmed, SlaCancelled, SlaRetargeted, Stop, Target
from shared.domain.policy.targets import PauseReason, offsets, percents
from shared.domain.sla import (
    OLAS,
    Clock,
    ClockName,
    PromiseFacts,
    State,
    TargetPromise,
    is_operational,
    named,
    owed,
    promised,
    stood,
)
from shared.domain.working_time import Hours, due, elapsed, hours_of


def lengthened(
    pledge: TargetPromise, clock: Clock, hours: Hours, at: datetime, policy_of: PolicyOf
) -> dict[str, Any]:
    """Return the seconds of a new promise, including what was agreed about `clock`.

    The longer of the two counts. `hours` are those of the new promise; if they differ
    from the old ones, the agreement is the working time until the same instant.
    """
    if clock.agreed_seconds is None:
        return {"seconds": pledge.seconds}
    before = hours_of(policy_of(clock.policy).calendars[clock.calendar])
    agreed = _under(hours, before, clock, clock.agreed_seconds, at)
    return {
        "seconds": max(pledge.seconds, agreed),
        "original_seconds": pledge.seconds if agreed > pledge.seconds else None,
        "agreed_seconds": agreed,
    }


def _under(hours: Hours, before: Hours, clock: Clock, agreed: int, at: datetime) -> int:
    if hours == before:
        return agreed
    stops = stood(clock, at)
    until = due(before, clock.started_at, agreed, stops)
    return elapsed(hours, clock.started_at, until, stops)


def owing(case: Case) -> Iterator[tuple[ClockName, datetime, tuple[Stop, ...]]]:
    """Yield the OLA clocks that are missing: name, start, and no earlier pauses.

    Each stay at a level is a round of its own.

    Nothing is owed while the service is back; after a relapse it counts from then. If
    only the policy that the promises were moved to has the OLA, it counts from the
    move.
    """
    if case.gone or case.resolved_at or case.restored_at:
        return
    here = case.posts[-1]
    begun = here.entered_at
    start = max(begun, case.relapsed_at or begun, case.moved_at or begun)
    stay = sum(post.level == here.level for post in case.posts)
    first = case.split_off and case.cycle == 1 and stay == 1
    inherited = first and here.level == "n1"
    for target, (level, what) in OLAS.items():
        name = ClockName(target, case.cycle, stay)
        if level != here.level or named(case.clocks, name) is not None:
            continue
        taken = here.accepted_at is not None or inherited
        if what == "work" or not taken:
            yield name, start, ()


_UPDATE_PAUSED_BY: tuple[PauseReason, ...] = ("user",)
_BY = "system:sla_watcher"


def on(case: Case, name: ClockName, at: datetime) -> dict[str, Any]:
    """Return the fields that all events about a clock have in common.

    A clock belongs to the policy that promised it, until it is retargeted.
    """
    clock = named(case.clocks, name)
    return {
        "incident": case.incident,
        "policy": clock.policy if clock else case.policy,
        "target": name.target,
        "cycle": name.cycle,
        "round": name.round,
        "at": at,
        "by": _BY,
    }


def pledges_of(case: Case, policy_of: PolicyOf) -> Mapping[Target, TargetPromise]:
    """Return what is promised and owed for the incident, by its present class."""
    policy = policy_of(case.policy)
    about = PromiseFacts(
        case.service, case.client, case.priority, case.reported_at, case.noticed
    )
    pledges: dict[Target, TargetPromise] = dict(promised(policy, *about).items())
    if policy.has_olas:
        for post in case.posts:
            pledges |= owed(policy, about, post.level, post.entered_at)
    return pledges


def armed(case: Case, at: datetime, policy_of: PolicyOf) -> Sequence[SlaEvent]:
    """Return the events that arm the clocks that are promised and missing."""
    missing = list(_missing(case))
    if policy_of(case.policy).has_olas:
        missing += owing(case)
    if not missing:
        return []
    policy, pledges = policy_of(case.policy), pledges_of(case, policy_of)
    events: list[SlaEvent] = []
    for name, start, before in missing:
        pledge = pledges.get(name.target)
        if pledge is not None:
            hours = hours_of(policy.calendars[pledge.calendar])
            terms = _terms(pledge)
            stopped = before or _waited(case, start, terms["paused_by"])
            pauses = [(stop.since, stop.until) for stop in stopped]
            if (last := _last(case, name)) is not None:
                since = case.reopened_at or at
                terms |= lengthened(pledge, last, hours, since, policy_of)
            events.append(
                SlaArmed(
                    **on(case, name, at),
                    **terms,
                    started_at=start,
                    stopped=stopped,
                    due_at=due(hours, start, terms["seconds"], pauses),
                    kept_by="delivery" if name.target == "update" else None,
                )
            )
    return events


def _waited(
    case: Case, start: datetime, paused_by: Collection[str]
) -> tuple[Stop, ...]:
    """Return the pauses since `start`, for a promise that is made only after them."""
    return tuple(
        wait for wait in case.waited if wait.why in paused_by and wait.until > start
    )


def _last(case: Case, name: ClockName) -> Clock | None:
    """Return the clock whose remaining time a new TTR continues with."""
    before = [clock for clock in case.clocks if clock.name.target == "ttr"]
    return before[-1] if before and name.target == "ttr" else None


_Missing = tuple[ClockName, datetime, tuple[Stop, ...]]


def _missing(case: Case) -> Iterator[_Missing]:
    """Yield the clocks the incident should have: name, start, earlier pauses."""
    if case.gone or case.resolved_at:
        return
    began = case.reopened_at or case.reported_at
    own = ClockName("tto", case.cycle, 1)
    owned = case.acknowledged_at is not None or case.restored_at is not None
    inherited = case.split_off and case.cycle == 1
    if not owned and not inherited and named(case.clocks, own) is None:
        yield own, began, ()
    resolve = ClockName("ttr", case.cycle, 1)
    if case.restored_at is None and named(case.clocks, resolve) is None:
        yield from _time_to_resolve(case, resolve)
    if case.user_reported:
        yield from _next_update(case)


def _time_to_resolve(case: Case, name: ClockName) -> Iterator[_Missing]:
    """Yield TTR with its remaining time; a broken promise is not made again."""
    if any(c.breached_at for c in case.clocks if c.name.target == "ttr"):
        return
    last = _last(case, name)
    if last is None or last.ended_at is None or case.reopened_at is None:
        yield name, case.reported_at, ()
    else:
        over = Stop(since=last.ended_at, until=case.reopened_at, why="over")
        yield name, last.started_at, (*last.stopped, over)


def _next_update(case: Case) -> Iterator[_Missing]:
    rounds = [
        clock
        for clock in case.clocks
        if clock.name.target == "update" and clock.name.cycle == case.cycle
    ]
    if not rounds:
        since = max(case.last_heard_at, case.promised_since or case.last_heard_at)
        yield ClockName("update", case.cycle, 1), since, ()
        return
    last = rounds[-1]
    if not last.measures and last.cancelled_for is None:
        number = last.name.round + 1
        started_at = last.ended_at or case.last_heard_at
        started_at = max(started_at, case.promised_since or started_at)
        yield ClockName("update", case.cycle, number), started_at, ()


def retargeted(case: Case, at: datetime, policy_of: PolicyOf) -> Sequence[SlaEvent]:
    """Return the changes of running clocks that follow from the present class."""
    clocks = [clock for clock in case.clocks if clock.is_open]
    since = case.promised_since
    if not clocks or since is None:
        return []
    policy, pledges = policy_of(case.policy), pledges_of(case, policy_of)
    events: list[SlaEvent] = []
    for clock in clocks:
        pledge = pledges.get(clock.name.target)
        if pledge is None:
            events.append(
                SlaCancelled(
                    **on(case, clock.name, at),
                    cancelled_at=since,
                    reason="no_contract",
                )
            )
        elif not _is(clock, pledge, case.policy, policy_of):
            hours = hours_of(policy.calendars[pledge.calendar])
            pauses = [(stop.since, stop.until) for stop in clock.stopped]
            running = clock.state is State.RUNNING
            terms = _terms(pledge)
            terms |= lengthened(pledge, clock, hours, since, policy_of)
            due_at = due(hours, clock.started_at, terms["seconds"], pauses)
            events.append(
                SlaRetargeted(
                    **on(case, clock.name, at) | {"policy": case.policy},
                    **terms,
                    was_seconds=clock.seconds,
                    retargeted_at=since,
                    due_at=due_at if running else None,
                    was_due_at=clock.due_at,
                )
            )
    return events


def _is(clock: Clock, pledge: TargetPromise, version: int, policy_of: PolicyOf) -> bool:
    """Tell whether the clock has the terms of the promise, if under an older policy."""
    held = (clock.contract, clock.calendar, clock.original_seconds)
    if held != (pledge.contract, pledge.calendar, pledge.seconds):
        return False
    if clock.policy == version:
        return True
    was = policy_of(clock.policy).calendars[clock.calendar]
    now = policy_of(version).calendars[pledge.calendar]
    terms = {name: it for name, it in _terms(pledge).items() if name not in _NAMED}
    alike = all(getattr(clock, name) == (it or ()) for name, it in terms.items())
    return alike and hours_of(was) == hours_of(now)


_NAMED = {"contract", "candidates", "calendar", "seconds"}


def _warnings(pledge: TargetPromise) -> dict[str, Any]:
    """Return when the desk is warned, for TTO and TTR."""
    marks = pledge.terms.warn if pledge.target in {"tto", "ttr"} else ()
    return {"warn": percents(marks), "warn_offsets": offsets(marks) or None}


def _terms(pledge: TargetPromise) -> dict[str, Any]:
    ttr = pledge.terms.ttr
    return {
        "contract": pledge.contract,
        "candidates": pledge.candidates,
        "calendar": pledge.calendar,
        "seconds": pledge.seconds,
        **_warnings(pledge),
        "stops_at": ttr.stops_at,
        "paused_by": _paused_by(pledge),
    }


def _paused_by(pledge: TargetPromise) -> tuple[PauseReason, ...]:
    """Return what pauses the clock; a time to take on or to own is never paused."""
    target = pledge.target
    if target == "update":
        return _UPDATE_PAUSED_BY
    if target == "ttr" or (is_operational(target) and OLAS[target].what == "work"):
        return pledge.terms.ttr.paused_by
    return ()
