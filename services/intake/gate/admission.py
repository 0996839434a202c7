"""Rate limits and quotas of sources, kept in memory for this process.

A rate is divided by the number of processes; a quota is counted across all of them,
with some seconds of delay. A source without a rate has the default rate. Sources that
the policy does not contain share one bucket, so that unknown names take no memory.

For messages in the NATS queue, `Pace` computes how long they have to wait. Nothing is
rejected there: a message above its rate is redelivered later. But a waiting message
occupies one of the places that all sources share, so only a limited number may wait;
beyond that the rate is not enforced, so that one source cannot block all others.

The daily quota is a pure function of state, time and cost, as the token bucket is.
"""

import heapq
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from shared.clock import Clock
from shared.domain.policy.sources import DEFAULT_RATE, Monitor, Quota, Rate, Source
from shared.http.token_buckets import Bucket, Flow, charge, filled, take
from shared.messaging.streams import SIGNALS_PENDING_MAX
from shared.messaging.subjects import SHARED_USER


@dataclass(frozen=True, slots=True)
class Day:
    """The use of a quota on one day, in UTC."""

    day: date
    used: int


def today(held: Day | None, now: datetime) -> Day:
    """Return the use on the day of `now`; it restarts at midnight."""
    day = now.astimezone(UTC).date()
    return held if held is not None and held.day == day else Day(day, 0)


def until_midnight(now: datetime) -> float:
    """Return the seconds until the next day in UTC."""
    utc = now.astimezone(UTC)
    midnight = utc.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(days=1) - utc).total_seconds()


ELEMENT_BYTES = 8_192
"""The bytes of an element; a request that has more for each of its own costs more."""

Limit = Literal["rate", "quota"]
_Bucket = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a source's rate, or of its quota if that is the limit.

    `wait` is 0 if the request is allowed; otherwise the seconds until a retry.
    """

    kind: Limit
    limit: int
    remaining: int
    reset: int
    """Seconds until the limit is fully available again."""
    wait: int = 0

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The values as response headers."""
        return [
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % self.reset),
        ]


@dataclass(frozen=True, slots=True)
class _Limits:
    """The limits of a source, and the name under which it is counted."""

    holder: str
    flow: Flow
    quota: Quota | None
    by_default: bool
    """Whether the policy sets no rate."""
    bucket: _Bucket
    """The bucket; when the policy drops a rate, its debt is dropped too."""


class Admission:
    """Decides without I/O, never blocks. `policy_of` returns the policy of a source."""

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
        self._unknown = self._limits_from("", DEFAULT_RATE, None, by_default=True)
        """Shared by all sources not in the policy; no source has this name."""
        self._shared_user = self._limits_from(
            SHARED_USER, DEFAULT_RATE, None, by_default=True
        )
        """Of what is refused of the NATS user that may name any source."""
        self._known: dict[str, tuple[Monitor, _Limits]] = {}
        """By source: its limits, and the policy entry from which they were made."""
        self._buckets: dict[_Bucket, Bucket] = {}
        self._days: dict[str, Day] = {}

    def ask(self, source: str) -> Allowance | None:
        """Admit one element of `source`, or say how long to wait.

        None if it is admitted and the policy sets no limit. Nothing is deducted from a
        source that has to wait.
        """
        rule = self._limits_of(source)
        if rule is None:
            return None
        quota = self._quota(rule)
        if quota is not None and not quota.remaining:
            return replace(quota, wait=max(1, quota.reset))
        held, wait = take(self._buckets.get(rule.bucket), self._elapsed(), rule.flow)
        self._buckets[rule.bucket] = held
        if wait:
            return _of_bucket(held, rule.flow, math.ceil(wait))
        if rule.quota is not None:
            held_day = today(self._days.get(source), self._clock())
            self._days[source] = Day(held_day.day, held_day.used + 1)
        return self._quota(rule) if rule.by_default else _of_bucket(held, rule.flow, 0)

    def charge(self, source: str, elements: int, size: int = 0) -> None:
        """Deduct what a request that was admitted as one element holds beyond it.

        Of its rate, at least an element for each `ELEMENT_BYTES` of its `size`.
        """
        rule = self._limits_of(source)
        cost = max(elements, math.ceil(size / ELEMENT_BYTES))
        if rule is None or cost <= 1:
            return
        held, now = self._buckets.get(rule.bucket), self._elapsed()
        self._buckets[rule.bucket] = charge(held, now, rule.flow, cost - 1)
        if rule.quota is not None and elements > 1:
            day = today(self._days.get(source), self._clock())
            self._days[source] = Day(day.day, day.used + elements - 1)

    def limits(self, source: str) -> list[Allowance]:
        """Return what is left of each limit of a source."""
        rule = self._limits_of(source)
        if rule is None:
            return []
        quota = self._quota(rule)
        return [self._rate(rule), *([quota] if quota else [])]

    def with_quota(self, sources: list[str]) -> list[str]:
        """Return those of `sources` that have a daily quota."""
        rules = {name: self._limits_of(name) for name in sources}
        return [name for name, rule in rules.items() if rule and rule.quota]

    def recall(self, source: str, day: date, used: int) -> None:
        """Update the day's count from all processes; a higher local count is kept."""
        held = today(self._days.get(source), self._clock())
        if day == held.day and used > held.used:
            self._days[source] = Day(day, used)

    def _limits_of(self, source: str) -> _Limits | None:
        """Return the limits of a source; None if it has none, like a mailbox."""
        if source == SHARED_USER:
            return self._shared_user
        said = self._policy_of(source)
        known = self._known.get(source)
        if known is not None and known[0] is said:
            return known[1]
        match said:
            case Monitor():
                by_default = said.rate is None
                made = self._limits_from(
                    source, said.rate or DEFAULT_RATE, said.quota, by_default=by_default
                )
                self._known[source] = said, made
                return made
            case None:
                limits: _Limits | None = self._unknown
            case _:
                limits = None
        self._known.pop(source, None)
        for by_default in (True, False):
            self._buckets.pop((source, by_default), None)
        self._days.pop(source, None)
        return limits

    def _limits_from(
        self, holder: str, rate: Rate, quota: Quota | None, *, by_default: bool
    ) -> _Limits:
        flow = Flow(rate.per_second, rate.burst).shared_by(self._workers)
        return _Limits(holder, flow, quota, by_default, (holder, by_default))

    def _rate(self, rule: _Limits) -> Allowance:
        held = filled(self._buckets.get(rule.bucket), self._elapsed(), rule.flow)
        return _of_bucket(held, rule.flow, 0)

    def _quota(self, rule: _Limits) -> Allowance | None:
        if rule.quota is None:
            return None
        now = self._clock()
        used = today(self._days.get(rule.holder), now).used
        left = max(0, rule.quota.per_day - used)
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


WAIT_SECONDS_MAX = 30.0


class Pace:
    """Says how long a message has to wait, for one of several processes."""

    def __init__(
        self,
        admission: Admission,
        waiting_max: int = SIGNALS_PENDING_MAX // 2,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._admission = admission
        self._waiting_max = waiting_max
        self._elapsed = elapsed
        self._until: list[float] = []

    def wait(self, source: str) -> float:
        """Return the seconds until a message may be taken; 0 means now."""
        now = self._elapsed()
        while self._until and self._until[0] <= now:
            heapq.heappop(self._until)
        asked = self._admission.ask(source)
        if asked is None or not asked.wait:
            return 0.0
        if len(self._until) >= self._waiting_max:
            return 0.0
        seconds = min(float(asked.wait), WAIT_SECONDS_MAX)
        heapq.heappush(self._until, now + seconds)
        return seconds
