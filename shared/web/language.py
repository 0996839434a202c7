"""Chooses the language of a page: the reader's choice, or the browser's preference.

The choice is stored in a cookie.
"""

import re

from starlette.requests import Request
from starlette.responses import Response

from shared.i18n.catalog import ENGLISH, LANGUAGES, Language
from shared.i18n.formats import is_language

_COOKIE = "permanence_lang"
_YEAR_SECONDS = 365 * 24 * 60 * 60
_HEADER_MAX = 256
_RANGE = re.compile(r"\s*([A-Za-z]{2})[\w-]*\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")


def liked(accepted: str) -> Language:
    """Return the first supported language of an `Accept-Language`, else English."""
    best: tuple[float, Language] = (0.0, ENGLISH)
    for each in accepted[:_HEADER_MAX].split(","):
        read = _RANGE.fullmatch(each)
        for language in LANGUAGES:
            if read and read[1].lower() == language and float(read[2] or 1) > best[0]:
                best = (float(read[2] or 1), language)
    return best[1]


def language_of(request: Request) -> Language:
    """Return the chosen language, otherwise the one that the browser prefers."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(_COOKIE)):
        if is_language(chosen):
            return chosen
    return liked(request.headers.get("accept-language", ""))


def keep_language(request: Request, response: Response) -> None:
    """Store the language in a cookie if it was just chosen."""
    chosen = request.query_params.get("lang")
    if is_language(chosen):
        response.set_cookie(
            _COOKIE,
            chosen,
            max_age=_YEAR_SECONDS,
            secure=is_https(request),
            httponly=True,
            samesite="strict",
        )


def is_https(request: Request) -> bool:
    """Return whether a request came over HTTPS, also through a proxy."""
    # A false claim only makes the client's own cookie stricter.
    claimed = request.headers.get("x-forwarded-proto", "")
    return "https" in (request.url.scheme, claimed)
