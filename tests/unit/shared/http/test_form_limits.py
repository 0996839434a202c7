"""The form is open to anybody, so it takes only so much."""

import pytest
from starlette.requests import Request

from shared.http.form_limits import (
    ADDRESSES_MAX,
    ALL_REPORTS_MAX,
    REPORTS_MAX,
    WITHIN_SECONDS,
    FormLimits,
    address_of,
)
from shared.http.networks import LOOPBACK, proxies
from shared.http.problem_details import HttpError


class Watch:
    """Shows what a test says."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_each_address_has_its_share_and_gets_it_back() -> None:
    watch = Watch()
    limits = FormLimits(watch)
    for _ in range(REPORTS_MAX):
        limits.admit("a")

    with pytest.raises(HttpError) as refused:
        limits.admit("a")
    limits.admit("b")

    wait = refused.value.details.retry_after
    assert wait == int(WITHIN_SECONDS / REPORTS_MAX) + 1
    watch.now += wait
    limits.admit("a")


def test_all_addresses_together_have_a_limit() -> None:
    limits = FormLimits(Watch())
    for number in range(ALL_REPORTS_MAX):
        limits.admit(str(number))

    with pytest.raises(HttpError):
        limits.admit("another")


def test_only_so_many_addresses_are_remembered() -> None:
    watch = Watch()
    limits = FormLimits(watch)
    for number in range(ADDRESSES_MAX + 10):
        watch.now += WITHIN_SECONDS
        limits.admit(str(number))

    assert len(limits._left) <= ADDRESSES_MAX


@pytest.mark.parametrize(
    ("seen", "forwarded", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("127.0.0.1", "192.0.2.1, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "rubbish", "127.0.0.1"),
        ("::1", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::1", "2001:db8:1:2::/64", "2001:db8:1:2::/64"),  # passed on by a page
        ("10.0.0.7", "192.0.2.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.8", "198.51.100.1", "10.0.0.8"),
        ("2001:db8::1", "", "2001:db8::/64"),
    ],
)
def test_where_a_request_comes_from(seen: str, forwarded: str, address: str) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    request = Request({"type": "http", "client": (seen, 1), "headers": headers})

    assert address_of(request, (*LOOPBACK, *proxies("10.0.0.7"))) == address
