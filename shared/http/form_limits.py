"""Rate limits for people without an account: by network address and in total."""

import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_network

from starlette.requests import Request

from shared.http.networks import Address, Networks, sender_of
from shared.http.problem_details import HttpError

REPORTS_MAX = 30
"""Reports from one network address within `WITHIN_SECONDS`; offices share one."""
ALL_REPORTS_MAX = 300
ANSWERS_MAX = 30
"""Answers by links in mails from one network address. Links cannot be guessed; the
limit keeps attempts from blocking others."""
SIGN_INS_MAX = 120
"""Attempts to sign in from one network address; a whole office begins its shift."""
VISITS_MAX = 900
"""How often the pages of one session say that they are open, within
`WITHIN_SECONDS`."""
FEEDS_MAX = 1_200
"""Calendars that are read from one network address: a provider reads for many."""
USER_READS_MAX = 240
"""How often one user's page is shown within `WITHIN_SECONDS`."""
USER_ACTS_MAX = 12
"""What one user may send by their link within `WITHIN_SECONDS`."""
MAILS_MAX = 3
"""Links that are mailed to one mail address; further requests change nothing."""
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

    def has_room(self, name: str) -> bool:
        """Count a request under any name; return whether it is within the limits."""
        return all(
            self._wait(each, most) <= 0
            for each, most in ({name: self._each} | self._all).items()
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


def sign_in_limits() -> FormLimits:
    """Return the limits of attempts to sign in."""
    return FormLimits(each=SIGN_INS_MAX, in_all=None)


def feed_limits() -> FormLimits:
    """Return the limits of reading calendars by their links."""
    return FormLimits(each=FEEDS_MAX, in_all=None)


def mail_limits() -> FormLimits:
    """Return the limits of links that are mailed, by mail address."""
    return FormLimits(each=MAILS_MAX, in_all=None)


def presence_limits() -> FormLimits:
    """Return the limits of reports of pages that are open, by session."""
    return FormLimits(each=VISITS_MAX, in_all=None)


def address_of(request: Request, trusted: Networks) -> str:
    """Return the address from which a request comes; for IPv6 its network."""
    peer = request.client.host if request.client else ""
    address = sender_of(peer, request.headers.getlist("x-forwarded-for"), trusted)
    return peer if address is None else owner_network(address)


def owner_network(address: Address) -> str:
    """Return an address, or for IPv6 the network that belongs to one owner."""
    if address.version == 4:  # noqa: PLR2004 # of the Internet Protocol
        return str(address)
    return str(ip_network((address, _IPV6_PREFIX), strict=False))


class UserLimits:
    """Limits of pages behind links: of reads by link, of users' acts by address too.

    Answers of those who are paged have no limit by address: a chat server sends those
    of everybody, and a flood of incidents is when they count most.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._reads = FormLimits(monotonic, each=USER_READS_MAX, in_all=None)
        self._acts = FormLimits(monotonic, each=USER_ACTS_MAX, in_all=None)
        self._addresses = FormLimits(monotonic, each=ANSWERS_MAX, in_all=None)

    def read(self, incident: str, person: str) -> None:
        """Count a read; `HttpError` 429 if there were too many by this link."""
        self._reads.admit(f"{incident}|{person}")

    def act(self, incident: str, person: str, address: str) -> None:
        """Count an act; `HttpError` 429 if there were too many by link or address."""
        self._addresses.admit(address)
        self._acts.admit(f"{incident}|{person}")

    def answer(self, record: str, person: str) -> None:
        """Count an answer to a page; `HttpError` 429 if this link had too many."""
        self._acts.admit(f"{record}|{person}")
