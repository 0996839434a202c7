"""Rate limits for people without an account: by network address and in total."""

import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_network

from starlette.requests import Request

from shared.http.networks import Networks, sender_of
from shared.http.problem_details import HttpError

REPORTS_MAX = 30
"""Reports from one network address within `WITHIN_SECONDS`; offices share one."""
ALL_REPORTS_MAX = 300
ANSWERS_MAX = 30
"""Answers by links in mails from one network address. Links cannot be guessed; the
limit keeps attempts from blocking others."""
WITHIN_SECONDS = 600.0
ADDRESSES_MAX = 10_000
"""How many addresses are remembered; the longest inactive ones are dropped."""
_IPV6_PREFIX = 64
_ALL = "*"


class FormLimits:
    """Token buckets; each process has its own.

    `each` is the limit for one address, `in_all` that for all addresses, None for
    unlimited.
    """

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        each: int = REPORTS_MAX,
        in_all: int | None = ALL_REPORTS_MAX,
    ) -> None:
        self._monotonic = monotonic
        self._all = {_ALL: in_all} if in_all else {}
        self._each = each
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admit(self, address: str) -> None:
        """Count a request from an address; `HttpError` 429 if there were too many."""
        for name, most in ({address: self._each} | self._all).items():
            wait = self._wait(name, most)
            if wait > 0:
                raise HttpError(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    "too much came from here: wait a little, or call the desk",
                    code="too_many_reports",
                    retry_after=int(wait) + 1,
                )

    def _wait(self, name: str, most: int) -> float:
        now = self._monotonic()
        left, at = self._left.get(name, (float(most), now))
        left = min(float(most), left + (now - at) * most / WITHIN_SECONDS)
        if left < 1:
            return (1 - left) * WITHIN_SECONDS / most
        self._left[name] = (left - 1, now)
        self._left.move_to_end(name)
        while len(self._left) > ADDRESSES_MAX:
            self._left.popitem(last=False)
        return 0.0


def answer_limits() -> FormLimits:
    """Return the limits of answers by a link, separate from those of reports."""
    return FormLimits(each=ANSWERS_MAX, in_all=None)


def address_of(request: Request, trusted: Networks) -> str:
    """Return the address from which a request comes; for IPv6 its network."""
    peer = request.client.host if request.client else ""
    address = sender_of(peer, request.headers.getlist("x-forwarded-for"), trusted)
    if address is None:
        return peer
    if address.version == 4:  # noqa: PLR2004 # of the Internet Protocol
        return str(address)
    return str(ip_network((address, _IPV6_PREFIX), strict=False))
