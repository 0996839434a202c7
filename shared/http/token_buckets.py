"""Token buckets: pure functions of the content, the time and the cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flow:
    """The capacity of a bucket, and the refill per second."""

    per_second: float
    burst: float

    def shared_by(self, workers: int) -> "Flow":
        """Return the share of one of several processes; capacity is at least one."""
        return Flow(self.per_second / workers, max(1.0, self.burst / workers))


@dataclass(frozen=True, slots=True)
class Bucket:
    """The content of a bucket at an instant of a monotonic clock, in seconds.

    A negative content is a debt: an array is taken whole once it is admitted.
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
    """Return the bucket after taking `cost` and 0; or unchanged, and the wait.

    With at least one token any cost may be taken; later requests wait for the debt.
    """
    held = filled(bucket, now, flow)
    if held.tokens < 1:
        return held, (1 - held.tokens) / flow.per_second
    return Bucket(held.tokens - cost, now), 0.0


def charge(bucket: Bucket | None, now: float, flow: Flow, cost: float) -> Bucket:
    """Return the bucket after taking `cost` from it unconditionally."""
    held = filled(bucket, now, flow)
    return Bucket(held.tokens - cost, now)
