"""Determines where a request comes from, also behind proxies. Pure."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]


LOOPBACK: Networks = (ip_network("127.0.0.0/8"), ip_network("::1"))


@lru_cache(maxsize=1_024)
def networks(written: tuple[str, ...]) -> Networks:
    """Parse networks. Raises `ValueError` if one is malformed."""
    return tuple(ip_network(each) for each in written)


def proxies(written: str) -> Networks:
    """Parse the comma-separated networks of a setting."""
    return networks(tuple(filter(None, written.replace(" ", "").split(","))))


def sender_of(
    peer: str | None, forwarded: Iterable[str], trusted: Networks
) -> Address | None:
    """Return the address from which a request comes, None if it is unknown.

    `peer` is the connected address, `forwarded` the values of `X-Forwarded-For`. Only
    trusted proxies are believed: the result is the rightmost address that is not one.
    """
    address = address_of(peer or "")
    if address is None or not is_in(address, trusted):
        return address
    hops = [hop for value in forwarded for hop in value.split(",")]
    for hop in reversed(hops):
        address = address_of(hop)
        if address is None or not is_in(address, trusted):
            return address
    return address


def is_in(address: Address | None, allowed: Networks) -> bool:
    """Return whether an address is in one of the networks."""
    return address is not None and any(address in network for network in allowed)


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def address_of(written: str) -> Address | None:
    """Parse an address, also one with a port; None if it is not an address.

    Of a network, as `form_limits` writes where a browser is, the first address: our
    pages and forms pass it on to the API and to intake.
    """
    text = written.strip().partition("/")[0]
    if text.startswith("["):  # [2001:db8::1]:443, as some proxies write
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # 10.0.0.1:443
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
