"""Who looks: the token and the language that a browser keeps in cookies.

The token's cookie is read by pages and by the stream alone, and is never sent along
from another site: nobody can be made to command by it.
"""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from services.projections.api.languages import liked
from services.projections.api.stream import COOKIE
from services.projections.page.words import is_language
from shared.wording.reader import Language

SHIFT_SECONDS = 12 * 60 * 60
_LANGUAGE_COOKIE = "permanence_lang"
_YEAR_SECONDS = 365 * 24 * 60 * 60


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
        secure=_is_https(request),
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


def language_of(request: Request) -> Language:
    """Return the language chosen, else the one the browser likes best."""
    for chosen in (
        request.query_params.get("lang"),
        request.cookies.get(_LANGUAGE_COOKIE),
    ):
        if is_language(chosen):
            return chosen
    return liked(request.headers.get("accept-language", ""))


def keep_language(request: Request, response: Response) -> None:
    """Have the browser keep the language that was just chosen, if one was."""
    chosen = request.query_params.get("lang")
    if is_language(chosen):
        response.set_cookie(
            _LANGUAGE_COOKIE,
            chosen,
            max_age=_YEAR_SECONDS,
            secure=_is_https(request),
            httponly=True,
            samesite="strict",
        )


def _is_https(request: Request) -> bool:
    # Whoever claims it only makes his own cookie stricter.
    claimed = request.headers.get("x-forwarded-proto", "")
    return "https" in (request.url.scheme, claimed)
