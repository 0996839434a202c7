"""A token bucket and a day's quota: state, now, cost in; state and wait out. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Flow:
    """What a bucket holds at most, and what flows into it each second."""

    per_second: float
    burst: float

    def shared_by(self, workers: int) -> "Flow":
        """Return the part of one of so many processes; a bucket holds at least one."""
        return Flow(self.per_second / workers, max(1.0, self.burst / workers))


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is in a bucket at an instant, in seconds of a clock that only goes on.

    Less than nothing is a debt: an array is taken whole once it may come in.
    """

    tokens: float
    at: float


def filled(bucket: Bucket | None, now: float, flow: Flow) -> Bucket:
    """Return the bucket as it is at `now`; a new one is full."""
    if bucket is None:
        return Bucket(flow.burst, now)
    passed = max(0.0, now - bucket.at)
    return Bucket(min(flow.burst, bucket.tokens + passed * flow.per_second), now)


def take(
    bucket: Bucket | None, now: float, flow: Flow, cost: float = 1.0
) -> tuple[Bucket, float]:
    """Return the bucket after taking `cost`, and 0; or as it is, and when to come.

    Who finds a whole token may take any cost; the next wait until it is paid back.
    """
    held = filled(bucket, now, flow)
    if held.tokens < 1:
        return held, (1 - held.tokens) / flow.per_second
    return Bucket(held.tokens - cost, now), 0.0


def charge(bucket: Bucket | None, now: float, flow: Flow, cost: float) -> Bucket:
    """Return the bucket after taking `cost` from it, come what may."""
    held = filled(bucket, now, flow)
    return Bucket(held.tokens - cost, now)


@dataclass(frozen=True, slots=True)
class Day:
    """How much of a quota is used on a day of UTC."""

    day: date
    used: int


def today(held: Day | None, now: datetime) -> Day:
    """Return the use of the day of `now`: at midnight it begins again."""
    day = now.astimezone(UTC).date()
    return held if held is not None and held.day == day else Day(day, 0)


def until_midnight(now: datetime) -> float:
    """Return the seconds until the next day of UTC begins."""
    utc = now.astimezone(UTC)
    midnight = utc.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(days=1) - utc).total_seconds()
