"""Requests to addresses that people give: never into the desk's own network.

Somebody who may enter a URL could otherwise make the desk call what only it can reach:
databases, cloud metadata, this machine. Names are resolved here, once, and the
connection goes to the address that was checked, so a name cannot change in between.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network

import httpx

from shared.http.networks import Address, Networks, is_in

_NAT64 = ip_network("64:ff9b::/96")
_INNER = (ip_network("64:ff9b:1::/48"), ip_network("fec0::/10"))
"""Local translation of IPv4 and site-local addresses, which Python calls global."""
_IPV4_BYTES = 4


class InnerAddress(httpx.TransportError):
    """A name or an address leads into the desk's own network; nothing was sent."""


def is_outside(address: Address, allowed: Networks = ()) -> bool:
    """Return whether an address is public, or in one of the `allowed` networks.

    IPv6 addresses that carry an IPv4 address are judged by that one as well.
    """
    if is_in(address, allowed):
        return True
    inner = _carried(address) if isinstance(address, IPv6Address) else None
    if inner is not None and not is_outside(inner, allowed):
        return False
    if is_in(address, _INNER):
        return False
    return address.is_global and not address.is_multicast


def _carried(address: IPv6Address) -> Address | None:
    """Return the IPv4 address that is part of an IPv6 address, if any."""
    if address in _NAT64:
        return ip_address(address.packed[-_IPV4_BYTES:])
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


async def outside_addresses(
    host: str, port: int, allowed: Networks = ()
) -> Sequence[str]:
    """Return the addresses to connect to for `host`, the best first.

    Raises `InnerAddress` if one of its addresses is not outside, and
    `httpx.ConnectError` if it has none.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # `a..b` cannot be encoded for the DNS
        raise httpx.ConnectError("the host has no address") from error
    addresses = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not addresses:
        raise httpx.ConnectError("the host has no address")
    if not all(is_outside(each, allowed) for each in addresses):
        raise InnerAddress("the address is inside the desk's own network")
    return list(dict.fromkeys(map(str, addresses)))


class GuardedTransport(httpx.AsyncBaseTransport):
    """Connects to outside addresses only, apart from the `allowed` networks."""

    def __init__(self, allowed: Networks = ()) -> None:
        self._allowed = allowed
        # A connection is kept by its address, and other names may have the same one.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._inner = httpx.AsyncHTTPTransport(limits=limits, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises `InnerAddress` if it would stay inside."""
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await outside_addresses(url.host, port, self._allowed)
        for address in addresses[:-1]:
            try:
                return await self._sent(request, address)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # such as an IPv6 address where there is only IPv4
        return await self._sent(request, addresses[-1])

    async def _sent(self, request: httpx.Request, address: str) -> httpx.Response:
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,  # `Host` names the host as it was given
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        return await self._inner.handle_async_request(pinned)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()
