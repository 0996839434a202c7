"""What all screens share: the visitor's client of the API, sign-in, refusals, onward.

A screen is a function of the request and of a client that holds the visitor's
credential. A visitor who is not signed in, or no longer, sees the sign-in page instead,
which leads back to the screen.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from services.projections.api.session_cookie import session_in
from services.projections.web.api_client import ApiClient, ApiError, client_of
from services.projections.web.rendering import page, refused_text
from shared.http.problem_details import HttpError
from shared.web.language import keep_language, language_of
from shared.web.rendering import refusal_text

ONWARD_MAX = 1_000
"""An address after sign-in: written in a form it is at most three times as long."""
_ADDRESS = re.compile(r"/(?!/)[!-~]*")
"""The path and the query of this site: no host, no control characters."""
SIGNED_OUT = "signed_out"
"""The name of the text for somebody whose session is over."""

Show = Callable[[Request, ApiClient], Awaitable[Response]]


async def screen(request: Request, show: Show) -> Response:
    """Return the screen of `show`, the sign-in page, or an error page."""
    credential, language = session_in(request), language_of(request)
    onward = address_of(request)
    try:
        shown = (
            await show(request, client_of(request, credential))
            if credential
            else sign_in_page(request, onward, _signed_out(request))
        )
    except ApiError as error:
        why = refused_text(error.code or "", language, str(error))
        if error.is_signed_out:
            shown = sign_in_page(request, onward, refusal_text(language, SIGNED_OUT))
        elif error.status == HTTPStatus.FORBIDDEN:
            shown = sign_in_page(request, onward, why)
        else:
            shown = page("refused.html", language, error.status, why=why)
    except HttpError as error:
        said = error.details
        why = refused_text(said.code or "", language, said.detail)
        shown = page("refused.html", language, said.status, why=why)
    keep_language(request, shown)
    return shown


def sign_in_page(
    request: Request, onward: str, why: str = "", status: int = HTTPStatus.UNAUTHORIZED
) -> Response:
    """Return the sign-in page; it leads on to `onward`, and so do its languages."""
    place, _, query = onward.partition("?")
    given = parse_qsl(query, keep_blank_values=True)
    return page(
        "sign_in.html",
        language_of(request),
        status,
        why=why,
        onward=onward,
        mails_links=request.app.state.desk.mails_links,
        provider=getattr(request.app.state.desk.provider, "name", None),
        place=place,
        query=urlencode([(name, value) for name, value in given if name != "lang"]),
    )


def not_admitted(request: Request, onward: str, why: str, error: ApiError) -> Response:
    """Return the sign-in page with why nobody came in; 503 if the desk is too busy."""
    busy = error.status == HTTPStatus.SERVICE_UNAVAILABLE
    status = HTTPStatus.SERVICE_UNAVAILABLE if busy else HTTPStatus.UNAUTHORIZED
    return sign_in_page(request, onward, why, status)


def _signed_out(request: Request) -> str:
    """Return what is said to a form without a session; nothing to a first visit."""
    if request.method == "GET":
        return ""
    return refusal_text(language_of(request), SIGNED_OUT)


def address_of(request: Request) -> str:
    """Return the path and the query of a request, to come back to by GET.

    A form is at an address below that of the page that shows it.
    """
    path: str = request.scope["raw_path"].decode("latin-1")
    if request.method != "GET":
        return _page_above(request, path)
    query: str = request.scope["query_string"].decode("latin-1")
    whole = f"{path}?{query}" if query else path
    return inside(request, whole if len(whole) <= ONWARD_MAX else path)


def _page_above(request: Request, path: str) -> str:
    while path and inside(request, path) == "/":
        path = path.rpartition("/")[0]
    return path or "/"


def inside(request: Request, address: str) -> str:
    """Return `address` if it is a page of this site: no redirects to other sites."""
    if len(address) > ONWARD_MAX or not _ADDRESS.fullmatch(address):
        return "/"
    path = address.partition("?")[0]
    if "\\" in path or "#" in address:
        return "/"
    asked = {"type": "http", "method": "GET", "path": path}
    pages: Iterable[BaseRoute] = request.app.state.pages
    shown = any(route.matches(asked)[0] is Match.FULL for route in pages)
    return address if shown else "/"
