"""Answers only under names of our own, so that no other site's name can be put on us.

A page of another site may give its name our address (DNS rebinding), and its scripts
then ask us from the browser of somebody who can reach us. An address cannot be put on
us in that way, nor a name without a dot.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.problem import Problem, response

ANY = "*"
_LOCAL = ".localhost"
_OWN_KEY = ("authorization", "x-routing-key")
"""A script of another site has no key to show in these headers."""


class KnownHosts:
    """`app`, for who asks under a known name, or shows a key of its own.

    `open_paths` begin with what anybody may ask under any name: probes, and doors of
    which the address or the body holds a key.
    """

    def __init__(
        self, app: ASGIApp, names: frozenset[str], open_paths: tuple[str, ...] = ()
    ) -> None:
        self._app = app
        self._names = names
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say which names there are."""
        if scope["type"] != "http" or self._may_ask(scope):
            await self._app(scope, receive, send)
            return
        no = Problem(
            421,
            "this desk is not called that: open it under its address or its public "
            "URL, or have an operator add the name to PERMANENCE_ALLOWED_HOSTS",
            code="host",
        )
        await response(no.details)(scope, receive, send)

    def _may_ask(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        return (
            is_known(headers.get("host", ""), self._names)
            or any(name in headers for name in _OWN_KEY)
            or scope["path"].startswith(self._open_paths)
        )


def names_of(public_url: str | None, allowed: str) -> frozenset[str]:
    """Return the names in the settings: of the public URL, and those with commas."""
    named = [each.strip() for each in allowed.split(",")]
    public = urlsplit(public_url or "").hostname
    return frozenset(each.lower() for each in (*named, public) if each)


def is_known(host: str, names: Iterable[str]) -> bool:
    """Tell whether a `Host`, with or without a port, is an address or a known name.

    Of `names`, `*.example.org` is every name below it, and `*` every name.
    """
    name = _without_port(host.strip().lower()).removesuffix(".")
    if "." not in name or name.endswith(_LOCAL) or _is_address(name):
        return True
    return any(
        each in (ANY, name) or (each[:2] == "*." and name.endswith(each[1:]))
        for each in names
    )


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
