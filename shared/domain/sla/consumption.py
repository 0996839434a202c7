"""Divides the working time of a clock among support levels and among parties.

The time that counts for the target is divided among the levels; all time since the
start, whether it counts or not, among the user, vendors and us. Time in which the
incident was considered over is excluded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from shared.domain.events.sla import Party
from shared.domain.policy.targets import PauseReason, SupportLevel
from shared.domain.sla.clock import Clock, pauses, whole
from shared.domain.working_time import Hours, Span, elapsed

LOWEST: SupportLevel = "n1"
"""The level that has an incident first."""


class LevelEntry(NamedTuple):
    """An incident came to a support level."""

    level: SupportLevel
    since: datetime


class Wait(NamedTuple):
    """A period of waiting for somebody; without `until` it has not ended."""

    reason: PauseReason
    since: datetime
    until: datetime | None = None


class Share(NamedTuple):
    """Working seconds that a party was responsible for, and how many of them count."""

    party: Party
    passed: int
    counted: int


@dataclass(frozen=True)
class Consumption:
    """What a clock had consumed at `until`.

    `seconds` is the sum of `levels`, and also of `counted` in `shares`; `passed` is the
    sum of `passed` in `shares`.
    """

    until: datetime
    seconds: int
    passed: int
    levels: Mapping[SupportLevel, int]
    shares: tuple[Share, ...]


def consumed(
    clock: Clock,
    hours: Hours,
    at: datetime,
    turns: Sequence[LevelEntry] = (),
    waits: Sequence[Wait] = (),
) -> Consumption:
    """Return who consumed what until `at`, or until the clock ended if earlier.

    `turns` and `waits` are those of the incident, in the order in which they began.
    """
    until = whole(at) if clock.ended_at is None else min(whole(at), clock.ended_at)
    until = max(until, clock.started_at)
    stops = pauses(clock, until)
    over = [(stop.since, stop.until) for stop in clock.stopped if stop.why == "over"]
    passed = _by_party(clock, hours, until, over, waits)
    counted = _by_party(clock, hours, until, stops, waits)
    return Consumption(
        until=until,
        seconds=sum(counted.values()),
        passed=sum(passed.values()),
        levels=_by_level(clock, hours, until, stops, turns),
        shares=tuple(
            Share(party, seconds, counted[party]) for party, seconds in passed.items()
        ),
    )


def _by_party(
    clock: Clock,
    hours: Hours,
    until: datetime,
    skipped: Sequence[Span],
    waits: Sequence[Wait],
) -> Mapping[Party, int]:
    """Return the working seconds of each party; together, all that is not skipped."""

    def without(*reasons: PauseReason) -> int:
        waiting = [
            (wait.since, wait.until or until)
            for wait in waits
            if wait.reason in reasons
        ]
        return elapsed(hours, clock.started_at, until, [*skipped, *waiting])

    of_all, not_users, ours = without(), without("user"), without("user", "vendor")
    return {
        "user": of_all - not_users,
        "vendor": not_users - ours,
        "provider": ours,
    }


def _by_level(
    clock: Clock,
    hours: Hours,
    until: datetime,
    stops: Sequence[Span],
    turns: Sequence[LevelEntry],
) -> Mapping[SupportLevel, int]:
    found: dict[SupportLevel, int] = {}
    began = [LevelEntry(LOWEST, clock.started_at), *turns]
    ends = [*(max(turn.since, clock.started_at) for turn in turns), until]
    for turn, end in zip(began, ends, strict=True):
        since = max(turn.since, clock.started_at)
        seconds = elapsed(hours, min(since, until), min(end, until), stops)
        found[turn.level] = found.get(turn.level, 0) + seconds
    return {level: found[level] for level in sorted(found)}
