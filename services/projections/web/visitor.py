"""Who looks: the token that a browser keeps in a cookie.

The token's cookie is read by pages and by the stream alone, and is never sent along
from another site: nobody can be made to command by it.
"""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from services.projections.api.log.stream import COOKIE
from shared.web.language import is_https

SHIFT_SECONDS = 12 * 60 * 60


def token_of(request: Request) -> str | None:
    """Return the token that the browser kept, None where it keeps none."""
    return request.cookies.get(COOKIE) or None


def keep_token(request: Request, response: Response, token: str) -> None:
    """Have the browser keep `token` for a shift, out of reach of scripts."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=SHIFT_SECONDS,
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="strict",
    )


def forget_token(response: Response) -> None:
    """Have the browser forget its token."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def is_from_elsewhere(request: Request) -> bool:
    """Tell whether another site made the browser send this.

    A browser says so itself over HTTPS; otherwise only where a form came from.
    """
    site = request.headers.get("sec-fetch-site", "none")
    if site != "none":
        return site != "same-origin"
    origin = request.headers.get("origin")
    if origin is None:  # no browser
        return False
    public: str = request.app.state.desk.public_url
    ours = {
        request.headers.get("host", "").lower(),
        urlsplit(public).netloc.lower(),
    } - {""}
    return urlsplit(origin).netloc.lower() not in ours
