"""Answers only under names of our own, so that no other site's name can be put on us.

A page of another site may give its name our address (DNS rebinding), and its scripts
then ask us from the browser of somebody who can reach us. An address cannot be put on
us in that way, nor a name without a dot.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http.problem_details import HttpError, response

ANY = "*"
_LOCAL = ".localhost"
_OWN_KEY = ("authorization", "x-routing-key")
"""A script of another site has no key of ours to show in these headers."""


@dataclass(frozen=True, slots=True)
class AnyNamePaths:
    """Beginnings of the paths that are answered under any name.

    A key in a header is not looked up here: it counts only if the endpoint does that.
    """

    open: tuple[str, ...] = ()
    """For anybody: probes, and doors that find a key in the address or the body."""
    keyed: tuple[str, ...] = ()
    """For callers that show a key in a header, which these paths demand."""
    keyless: tuple[str, ...] = ()
    """Those among them that demand no key."""

    def may_ask(self, path: str, *, shows_key: bool) -> bool:
        """Tell whether a path is answered under any name."""
        demands = path.startswith(self.keyed) and not path.startswith(self.keyless)
        return path.startswith(self.open) or (shows_key and demands)


class KnownHosts:
    """`app`, for callers that use a known name, or show a key where one is demanded."""

    def __init__(
        self, app: ASGIApp, names: frozenset[str], paths: AnyNamePaths
    ) -> None:
        self._app = app
        self._names = names
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say which names there are."""
        if scope["type"] != "http" or self._may_ask(scope):
            await self._app(scope, receive, send)
            return
        no = HttpError(
            421,
            "this desk is not called that: open it under its address or its public "
            "URL, or have an operator add the name to PERMANENCE_ALLOWED_HOSTS",
            code="host",
        )
        await response(no.details)(scope, receive, send)

    def _may_ask(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        return is_known(headers.get("host", ""), self._names) or self._paths.may_ask(
            scope["path"], shows_key=any(name in headers for name in _OWN_KEY)
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
