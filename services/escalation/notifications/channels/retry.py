"""When to try again what failed for now: soon at first, then ever more rarely.

Every key waits a little differently, the same each time it is asked: what failed
together does not come back together.

The outcome of one attempt to tell somebody.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_DELAY = timedelta(seconds=5)
DELAY_MAX = timedelta(minutes=15)
"""No wait of ours is longer."""
SPREAD_PERCENT = 20
"""By how much a wait is shortened at most, so that keys go apart."""
ATTEMPTS_MAX = 103
"""With the full delays, what fits into 24 hours of trying."""
RETRY_AFTER_MAX = timedelta(hours=1)
"""We wait no longer than this, whatever the other side asks."""


def next_attempt(
    key: str, attempts: int, failed_at: datetime, retry_after: timedelta | None = None
) -> datetime | None:
    """Return when to try `key` again after `attempts` (from 1) failed; None: give up.

    Never before `retry_after` has passed, up to `RETRY_AFTER_MAX`.
    """
    if attempts >= ATTEMPTS_MAX:
        return None
    doublings = min(attempts - 1, (DELAY_MAX // FIRST_DELAY).bit_length())
    delay = min(FIRST_DELAY * (1 << doublings), DELAY_MAX)
    shortened = delay - delay * _share(key, attempts) * SPREAD_PERCENT / 100
    asked = min(retry_after or timedelta(), RETRY_AFTER_MAX)
    return failed_at + max(shortened, asked)


def _share(key: str, attempts: int) -> float:
    """A number in [0, 1) that only key and attempt decide."""
    digest = hashlib.sha256(f"{attempts}.{key}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


@dataclass(frozen=True)
class Delivered:
    """The other side took it; `receipt` is its word for that, no personal one."""

    receipt: str


@dataclass(frozen=True)
class Failed:
    """It was not taken; `reason` says why, without personal words or secrets.

    `permanent`: the same would be refused again. `retry_after`: how long the other side
    asked us to wait at least. `withheld`: we never meant to hand it over.
    """

    reason: str
    permanent: bool
    retry_after: timedelta | None = None
    withheld: bool = False


Outcome = Delivered | Failed
