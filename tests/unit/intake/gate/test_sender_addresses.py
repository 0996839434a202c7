"""Where a request comes from, and who may say so."""

import pytest

from shared.http.networks import is_in, networks, sender_of

PROXIES = networks(("10.0.0.5", "10.0.1.0/24"))
ALLOWED = networks(("192.0.2.0/24", "2001:db8::/32"))


def sender(peer: str | None, *forwarded: str) -> str:
    return str(sender_of(peer, forwarded, PROXIES))


def test_whoever_connects_is_the_sender_and_nobody_is_believed() -> None:
    assert sender("192.0.2.9", "203.0.113.7") == "192.0.2.9"


def test_a_trusted_proxy_is_believed_about_whom_it_speaks_for() -> None:
    assert sender("10.0.0.5", "192.0.2.9") == "192.0.2.9"


def test_of_several_proxies_the_rightmost_stranger_is_the_sender() -> None:
    assert sender("10.0.0.5", "192.0.2.1, 203.0.113.7, 10.0.1.8") == "203.0.113.7"
    assert sender("10.0.0.5", "192.0.2.1", "203.0.113.7,10.0.1.8") == "203.0.113.7"


def test_a_sender_that_forges_the_header_is_not_the_one_it_names() -> None:
    assert sender("10.0.0.5", "192.0.2.1, 203.0.113.7") == "203.0.113.7"


def test_a_proxy_that_speaks_for_nobody_is_the_sender() -> None:
    assert sender("10.0.0.5") == "10.0.0.5"
    assert sender("10.0.0.5", "10.0.1.8") == "10.0.1.8"


@pytest.mark.parametrize("forwarded", ["", "unknown", "192.0.2.9, _hidden", "é"])
def test_a_sender_that_cannot_be_told_is_nobody(forwarded: str) -> None:
    assert sender("10.0.0.5", forwarded) == "None"
    assert sender(None) == sender("testclient") == "None"


def test_addresses_are_read_as_proxies_write_them() -> None:
    assert sender("10.0.0.5", "[2001:db8::1]:443") == "2001:db8::1"
    assert sender("10.0.0.5", "192.0.2.9:51000") == "192.0.2.9"
    assert sender("::ffff:192.0.2.9") == "192.0.2.9"


def test_only_who_is_in_one_of_the_networks_may_send() -> None:
    def may(peer: str | None) -> bool:
        return is_in(sender_of(peer, (), ()), ALLOWED)

    assert may("192.0.2.9")
    assert may("2001:db8:1::1")
    assert not may("192.0.3.9")
    assert not may("2001:db9::1")
    assert not may(None)
