"""Answers only requests with a known `Host`, as a protection from DNS rebinding.

Another site may point its own name to this server's address, and its scripts then call
the server from the browser of somebody who can reach it. That is not possible with a
literal address, nor with a name without a dot.
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
"""A script of another site does not have a key for these headers."""


@dataclass(frozen=True, slots=True)
class AnyNamePaths:
    """Prefixes of the paths that are answered under any name.

    A key in a header is not verified here; the endpoint has to do that.
    """

    open: tuple[str, ...] = ()
    """For everyone: probes, and endpoints with a key in the address or the body."""
    keyed: tuple[str, ...] = ()
    """For callers with a key in a header, which these paths require."""
    keyless: tuple[str, ...] = ()
    """Exceptions below `keyed` that do not require a key."""

    def may_ask(self, path: str, *, shows_key: bool) -> bool:
        """Return whether a path is answered under any name."""
        demands = path.startswith(self.keyed) and not path.startswith(self.keyless)
        return path.startswith(self.open) or (shows_key and demands)


class KnownHosts:
    """`app`, restricted to requests with a known name, or with a key on keyed paths."""

    def __init__(
        self, app: ASGIApp, names: frozenset[str], paths: AnyNamePaths
    ) -> None:
        self._app = app
        self._names = names
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, or refuse and list the known names."""
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
    """Return the names in the settings: the public URL's and the listed ones."""
    named = [each.strip() for each in allowed.split(",")]
    public = urlsplit(public_url or "").hostname
    return frozenset(each.lower() for each in (*named, public) if each)


def is_known(host: str, names: Iterable[str]) -> bool:
    """Return whether a `Host`, with or without a port, is an address or a known name.

    In `names`, `*.example.org` matches every name below it, and `*` every name.
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
