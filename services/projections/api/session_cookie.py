"""The cookie with which a browser keeps its session.

Over HTTPS its name begins with `__Host-`: browsers then accept it only from this host,
over HTTPS and for all paths, so no other site below the same domain can plant one. Over
plain HTTP, as on 127.0.0.1, browsers refuse that prefix.

It is sent when somebody follows a link to a page (`SameSite=Lax`), such as the one back
from an identity provider. So nothing is ever changed by a GET.
"""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from shared.web.language import is_https

COOKIE = "permanence"
SECURE_COOKIE = f"__Host-{COOKIE}"
FORMER_COOKIE = "permanence_token"
"""Earlier versions kept a token in it."""


def session_in(request: Request) -> str | None:
    """Return the credential in the browser's cookie, None without a cookie."""
    return request.cookies.get(_name(request)) or None


def keep_session(
    request: Request, response: Response, secret: str, lifetime: timedelta
) -> None:
    """Store a session in the browser, inaccessible to scripts."""
    response.set_cookie(
        _name(request),
        secret,
        max_age=int(lifetime.total_seconds()),
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="lax",
    )
    response.delete_cookie(FORMER_COOKIE, path="/", httponly=True, samesite="strict")


def drop_session(request: Request, response: Response) -> None:
    """Delete the session from the browser."""
    response.delete_cookie(
        _name(request),
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="lax",
    )
    response.delete_cookie(FORMER_COOKIE, path="/", httponly=True, samesite="strict")


def _name(request: Request) -> str:
    return SECURE_COOKIE if is_https(request) else COOKIE
