"""Limits wrong keys by the network address from which they come.

Valid keys never wait: one address may represent a whole company, and one of its sources
or browsers may use a revoked key. So a limited address may still show keys that can be
valid, and only the others are refused without a look-up.
"""

import math
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog

from shared.http.problem_details import HttpError
from shared.http.token_buckets import Bucket, Flow, filled, take
from shared.security.access import Caller

WRONG_KEYS = Flow(per_second=0.2, burst=20.0)
"""A burst of 20, then twelve a minute, for each process."""
WRONG_KEYS_OF_ALL = Flow(per_second=4.0, burst=200.0)
"""Of all addresses together, for each process: one owner may have very many."""
ADDRESSES_MAX = 10_000
"""Addresses that are remembered; the oldest are dropped."""
GUESSING = "guessing"
"""The code of the refusal."""
LOGGED_SECONDS = 60.0
"""An address that continues is logged at most once in this period."""
_EVERYWHERE = "everywhere"
_log = structlog.get_logger(__name__)


class WrongKeys:
    """Counts wrong keys by address, without I/O; never blocks."""

    def __init__(
        self,
        elapsed: Callable[[], float] = time.monotonic,
        addresses_max: int = ADDRESSES_MAX,
    ) -> None:
        self._elapsed = elapsed
        self._addresses_max = addresses_max
        self._buckets: dict[str, Bucket] = {}
        self._of_all: Bucket | None = None
        self._logged: dict[str, float] = {}

    async def limit(
        self,
        address: Callable[[], str],
        may_be_valid: Callable[[], Awaitable[bool]],
        look_up: Callable[[], Awaitable[Caller]],
    ) -> Caller:
        """Return the caller that `look_up` finds; count a key that it does not know.

        `address` is where the request comes from, as `form_limits.address_of` has it.
        Raises `HttpError` 429 if too many wrong keys came from there, unless this one
        may be valid.
        """
        wait = self.wait(address()) if self._buckets else 0
        if wait and not await may_be_valid():
            raise HttpError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too many wrong keys came from this address, or from all; nothing was "
                f"done: mend the key, and send it again in {wait} s",
                code=GUESSING,
                retry_after=wait,
            )
        try:
            return await look_up()
        except HttpError as problem:
            if problem.details.status == HTTPStatus.UNAUTHORIZED:
                self.count(address())
            raise

    def wait(self, address: str) -> int:
        """Return the seconds until a key may be tried from there; 0 means now."""
        now = self._elapsed()
        held = filled(self._buckets.get(address), now, WRONG_KEYS)
        if held.tokens >= WRONG_KEYS.burst:
            self._buckets.pop(address, None)  # fully recovered
        of_all = filled(self._of_all, now, WRONG_KEYS_OF_ALL)
        missing = (
            (1 - held.tokens) / WRONG_KEYS.per_second,
            (1 - of_all.tokens) / WRONG_KEYS_OF_ALL.per_second,
        )
        wait = max(0, math.ceil(max(missing)))
        if wait:
            self._log_once(address if held.tokens < 1 else _EVERYWHERE)
        return wait

    def count(self, address: str) -> None:
        """Count a wrong key from an address."""
        now = self._elapsed()
        held, _ = take(self._buckets.pop(address, None), now, WRONG_KEYS)
        if len(self._buckets) >= self._addresses_max:
            self._buckets.pop(next(iter(self._buckets)))
        self._buckets[address] = held
        self._of_all, _ = take(self._of_all, now, WRONG_KEYS_OF_ALL)

    def _log_once(self, address: str) -> None:
        now = self._elapsed()
        self._logged = {
            one: at for one, at in self._logged.items() if now - at < LOGGED_SECONDS
        }
        if address not in self._logged:
            self._logged[address] = now
            _log.warning("keys.guessed", address=address, do="see who sends from there")
