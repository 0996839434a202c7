"""Limits the number of wrong keys from one address.

Only wrong keys are counted, and valid keys never wait: one address may represent a
whole company, and one of its sources may use a revoked key.
"""

import math
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_network

import structlog

from services.intake.gate.rate_limits import Bucket, Flow, filled, take
from shared.http.networks import Address

WRONG_KEYS = Flow(per_second=0.2, burst=20.0)
"""A burst of 20, then twelve a minute, for each process of intake."""
ADDRESSES_MAX = 10_000
"""Addresses that are remembered; the oldest are dropped."""
HOME_BITS = 64
"""Prefix length for IPv6: one owner has all addresses with this prefix."""
TOLD_SECONDS = 60.0
"""An address that continues is logged at most once in this period."""

_log = structlog.get_logger(__name__)


class Guesses:
    """Counts wrong keys by address, without I/O; never blocks."""

    def __init__(
        self,
        elapsed: Callable[[], float] = time.monotonic,
        addresses_max: int = ADDRESSES_MAX,
    ) -> None:
        self._elapsed = elapsed
        self._addresses_max = addresses_max
        self._buckets: dict[str, Bucket] = {}
        self._told: dict[str, float] = {}

    @property
    def any(self) -> bool:
        """Whether there were any wrong keys recently."""
        return bool(self._buckets)

    def wait(self, address: Address | None) -> int:
        """Return the seconds until a key may be tried from there; 0 means now."""
        home = _home(address)
        if home not in self._buckets:
            return 0
        held = filled(self._buckets[home], self._elapsed(), WRONG_KEYS)
        if held.tokens >= WRONG_KEYS.burst:
            del self._buckets[home]  # fully recovered
        if held.tokens >= 1:
            return 0
        self._tell(home)
        return math.ceil((1 - held.tokens) / WRONG_KEYS.per_second)

    def wrong(self, address: Address | None) -> None:
        """Count a wrong key from an address."""
        home, now = _home(address), self._elapsed()
        held, _ = take(self._buckets.pop(home, None), now, WRONG_KEYS)
        if len(self._buckets) >= self._addresses_max:
            self._buckets.pop(next(iter(self._buckets)))
        self._buckets[home] = held

    def _tell(self, home: str) -> None:
        now = self._elapsed()
        self._told = {
            one: at for one, at in self._told.items() if now - at < TOLD_SECONDS
        }
        if home not in self._told:
            self._told[home] = now
            _log.warning("keys.guessed", address=home, do="see who sends from there")


def _home(address: Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network(f"{address}/{HOME_BITS}", strict=False))
    return str(address)
