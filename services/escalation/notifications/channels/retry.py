"""The outcome of an attempt to notify somebody, and when to try again: backoff.

The delay of each key differs a little but is reproducible, so that messages that failed
together are not retried together.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

FIRST_DELAY = timedelta(seconds=5)
DELAY_MAX = timedelta(minutes=15)
"""Upper limit of a delay chosen by us."""
SPREAD_PERCENT = 20
"""By how much a delay is shortened at most, to spread the retries."""
RETRIED_FOR = timedelta(hours=24)
"""How long a failed message is tried again, unless its channel says otherwise."""
RETRY_AFTER_MAX = timedelta(hours=1)
"""Upper limit for a delay that the other side asks for."""


def next_attempt(
    key: str,
    attempts: int,
    failed_at: datetime,
    retry_after: timedelta | None = None,
    retried_for: timedelta = RETRIED_FOR,
) -> datetime | None:
    """Return when to retry `key` after `attempts` (from 1) failed; None: give up.

    Never before `retry_after` has passed, up to `RETRY_AFTER_MAX`.
    """
    if attempts >= attempts_within(retried_for):
        return None
    delay = _delay(attempts)
    shortened = delay - delay * _share(key, attempts) * SPREAD_PERCENT / 100
    asked = min(retry_after or timedelta(), RETRY_AFTER_MAX)
    return failed_at + max(shortened, asked)


@cache
def attempts_within(span: timedelta) -> int:
    """Return how many attempts fit into `span` with the full delays; at least 1.

    Attempts are counted, and not the time: messages that could not be tried while the
    desk was down are still sent.
    """
    attempts, waited = 1, _delay(1)
    while waited <= span:
        attempts += 1
        waited += _delay(attempts)
    return attempts


def _delay(attempts: int) -> timedelta:
    """Return the full delay after so many attempts."""
    doublings = min(attempts - 1, (DELAY_MAX // FIRST_DELAY).bit_length())
    return min(FIRST_DELAY * (1 << doublings), DELAY_MAX)


def _share(key: str, attempts: int) -> float:
    """Return a number in [0, 1) that depends only on the key and the attempt."""
    digest = hashlib.sha256(f"{attempts}.{key}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


@dataclass(frozen=True)
class Delivered:
    """The other side accepted it; `receipt` is its reply, without personal data."""

    receipt: str


@dataclass(frozen=True)
class Failed:
    """It was not accepted; `reason` says why, without personal data or secrets.

    `permanent`: a repeat would be refused too. `retry_after`: the minimum delay that
    the other side asked for. `withheld`: we decided not to send it.
    """

    reason: str
    permanent: bool
    retry_after: timedelta | None = None
    withheld: bool = False


Outcome = Delivered | Failed
