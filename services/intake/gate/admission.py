"""How much each source may send just now: held here, for this process alone.

A rate is divided by the number of processes; a quota is counted by all of them
together, some seconds late. A source without a rate has the default one; those that the
policy does not name share it, so that names nobody knows take no memory.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from services.intake.gate.bucket import (
    Bucket,
    Day,
    Flow,
    charge,
    filled,
    take,
    today,
    until_midnight,
)
from shared.clock import Clock
from shared.policy.limits import DEFAULT_RATE, Quota, Rate
from shared.policy.sources import Monitor, Source

Limit = Literal["rate", "quota"]
_Bucket = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to a source: of its rate, or of its quota where that is the reason.

    `wait` is 0 for one that may come in; else it is to come again in so many seconds.
    """

    kind: Limit
    limit: int
    remaining: int
    reset: int
    """In so many seconds all of it is there again."""
    wait: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """As answers tell it."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a source may send, and under which name it is counted."""

    holder: str
    rate: Rate
    quota: Quota | None
    by_default: bool
    """Whether the policy says nothing of the rate."""

    @property
    def bucket(self) -> _Bucket:
        """Which bucket it is: a policy that takes a rate away takes its debts away."""
        return self.holder, self.by_default


class Admission:
    """Asks nobody and never blocks. `policy_of` gives what the policy says."""

    def __init__(
        self,
        policy_of: Callable[[str], Source | None],
        clock: Clock,
        workers: int = 1,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy_of = policy_of
        self._clock = clock
        self._workers = workers
        self._elapsed = elapsed
        self._buckets: dict[_Bucket, Bucket] = {}
        self._days: dict[str, Day] = {}

    def ask(self, source: str) -> Allowance | None:
        """Let one element of `source` in, or say when to come.

        None for one that may come in and of which the policy says no limit.
        Nothing is taken from a source that has to wait.
        """
        rule = self._limits_of(source)
        if rule is None:
            return None
        quota = self._quota(rule)
        if quota is not None and not quota.remaining:
            return replace(quota, wait=max(1, quota.reset))
        flow, now = self._flow(rule), self._elapsed()
        held, wait = take(self._buckets.get(rule.bucket), now, flow)
        self._buckets[rule.bucket] = held
        if wait:
            return _of_bucket(held, flow, math.ceil(wait))
        if rule.quota is not None:
            held_day = today(self._days.get(source), self._clock())
            self._days[source] = Day(held_day.day, held_day.used + 1)
        return self._left(rule)

    def charge(self, source: str, elements: int) -> None:
        """Account for the other elements of what was let in as one."""
        rule, more = self._limits_of(source), elements - 1
        if rule is None or more < 1:
            return
        held, now = self._buckets.get(rule.bucket), self._elapsed()
        self._buckets[rule.bucket] = charge(held, now, self._flow(rule), more)
        if rule.quota is not None:
            day = today(self._days.get(source), self._clock())
            self._days[source] = Day(day.day, day.used + more)

    def limits(self, source: str) -> list[Allowance]:
        """Return what is left of each limit of a source."""
        rule = self._limits_of(source)
        if rule is None:
            return []
        quota = self._quota(rule)
        return [self._rate(rule), *([quota] if quota else [])]

    def with_quota(self, sources: list[str]) -> list[str]:
        """Return those of `sources` whose use of the day is counted."""
        rules = {name: self._limits_of(name) for name in sources}
        return [name for name, rule in rules.items() if rule and rule.quota]

    def recall(self, source: str, day: date, used: int) -> None:
        """Learn what all processes counted; nothing that is known here is undone."""
        held = today(self._days.get(source), self._clock())
        if day == held.day and used > held.used:
            self._days[source] = Day(day, used)

    def _limits_of(self, source: str) -> _Limits | None:
        """Return what limits a source; None: nothing here does, it is a mailbox."""
        match self._policy_of(source):
            case Monitor() as rule:
                rate = rule.rate or DEFAULT_RATE
                return _Limits(source, rate, rule.quota, rule.rate is None)
            case None:
                limits: _Limits | None = _UNKNOWN
            case _:
                limits = None
        for by_default in (True, False):
            self._buckets.pop((source, by_default), None)
        self._days.pop(source, None)
        return limits

    def _left(self, rule: _Limits) -> Allowance | None:
        """Return what is left of what the policy says; None: it says nothing."""
        return self._quota(rule) if rule.by_default else self._rate(rule)

    def _rate(self, rule: _Limits) -> Allowance:
        flow = self._flow(rule)
        held = filled(self._buckets.get(rule.bucket), self._elapsed(), flow)
        return _of_bucket(held, flow, 0)

    def _flow(self, rule: _Limits) -> Flow:
        return Flow(rule.rate.per_second, rule.rate.burst).shared_by(self._workers)

    def _quota(self, rule: _Limits) -> Allowance | None:
        if rule.quota is None:
            return None
        now = self._clock()
        used = today(self._days.get(rule.holder), now).used
        left = max(0, rule.quota.per_day - used)
        midnight = math.ceil(until_midnight(now))
        return Allowance("quota", rule.quota.per_day, left, midnight)


_UNKNOWN = _Limits("", DEFAULT_RATE, None, by_default=True)
"""Of all sources together that the policy does not name: no source has this name."""


def _of_bucket(held: Bucket, flow: Flow, wait: int) -> Allowance:
    missing = flow.burst - held.tokens
    return Allowance(
        "rate",
        math.floor(flow.burst),
        max(0, math.floor(held.tokens)),
        math.ceil(missing / flow.per_second),
        wait,
    )
