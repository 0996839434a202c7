"""How much each source may send just now: held here, for this process alone.

Only sources that have limits in the policy take any memory. A rate is divided by the
number of processes; a quota is counted by all of them together, some seconds late.
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
from shared.policy.sources import Monitor, Source

Limit = Literal["rate", "quota"]


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
        self._buckets: dict[str, Bucket] = {}
        self._days: dict[str, Day] = {}

    def ask(self, source: str) -> Allowance | None:
        """Let one element of `source` in, or say when to come; None: it has no limit.

        Nothing is taken from a source that has to wait.
        """
        rule = self._limited(source)
        if rule is None:
            return None
        quota = self._quota(source, rule)
        if quota is not None and not quota.remaining:
            return replace(quota, wait=max(1, quota.reset))
        if rule.rate is not None:
            flow, now = self._flow(rule), self._elapsed()
            held, wait = take(self._buckets.get(source), now, flow)
            self._buckets[source] = held
            if wait:
                return _of_bucket(held, flow, math.ceil(wait))
        if rule.quota is not None:
            held_day = today(self._days.get(source), self._clock())
            self._days[source] = Day(held_day.day, held_day.used + 1)
        return self.left(source)

    def charge(self, source: str, elements: int) -> None:
        """Account for the other elements of what was let in as one."""
        rule, more = self._limited(source), elements - 1
        if rule is None or more < 1:
            return
        if rule.rate is not None:
            held = self._buckets.get(source)
            now = self._elapsed()
            self._buckets[source] = charge(held, now, self._flow(rule), more)
        if rule.quota is not None:
            day = today(self._days.get(source), self._clock())
            self._days[source] = Day(day.day, day.used + more)

    def left(self, source: str) -> Allowance | None:
        """Return what is left, of the rate where there is one; None: no limit."""
        every = self.limits(source)
        return every[0] if every else None

    def limits(self, source: str) -> list[Allowance]:
        """Return what is left of each limit of a source."""
        rule = self._limited(source)
        if rule is None:
            return []
        found = []
        if rule.rate is not None:
            flow = self._flow(rule)
            held = filled(self._buckets.get(source), self._elapsed(), flow)
            found.append(_of_bucket(held, flow, 0))
        quota = self._quota(source, rule)
        return [*found, quota] if quota else found

    def with_quota(self, sources: list[str]) -> list[str]:
        """Return those of `sources` whose use of the day is counted."""
        rules = {name: self._limited(name) for name in sources}
        return [name for name, rule in rules.items() if rule and rule.quota]

    def recall(self, source: str, day: date, used: int) -> None:
        """Learn what all processes counted; nothing that is known here is undone."""
        held = today(self._days.get(source), self._clock())
        if day == held.day and used > held.used:
            self._days[source] = Day(day, used)

    def _limited(self, source: str) -> Monitor | None:
        rule = self._policy_of(source)
        if isinstance(rule, Monitor) and (rule.rate or rule.quota):
            return rule
        self._buckets.pop(source, None)
        self._days.pop(source, None)
        return None

    def _flow(self, rule: Monitor) -> Flow:
        assert rule.rate is not None  # noqa: S101 # asked before
        return Flow(rule.rate.per_second, rule.rate.burst).shared_by(self._workers)

    def _quota(self, source: str, rule: Monitor) -> Allowance | None:
        if rule.quota is None:
            return None
        now = self._clock()
        left = max(0, rule.quota.per_day - today(self._days.get(source), now).used)
        midnight = math.ceil(until_midnight(now))
        return Allowance("quota", rule.quota.per_day, left, midnight)


def _of_bucket(held: Bucket, flow: Flow, wait: int) -> Allowance:
    missing = flow.burst - held.tokens
    return Allowance(
        "rate",
        math.floor(flow.burst),
        max(0, math.floor(held.tokens)),
        math.ceil(missing / flow.per_second),
        wait,
    )
