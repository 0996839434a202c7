"""Admits a browser: gives it a new session, and ends the one it had.

A session is named by its device, so that people recognize it: `Firefox on Linux`.
Nothing else of what a browser says about itself is kept.
"""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.api.session_cookie import keep_session, session_in
from services.projections.web.api_client import ApiError, client_of
from services.projections.web.screens import inside
from shared.http.bodies import read_body

FORM_BYTES_MAX = 4_096
FIELDS_MAX = 10
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
"""A word of a browser, and its name; the first counts, since they imitate others."""
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_READ_MAX = 512


def device_of(user_agent: str) -> str:
    """Return the name of the device of a `User-Agent`; empty if it is unknown."""
    said = user_agent[:_READ_MAX]
    browser = next((name for sign, name in _BROWSERS if sign in said), "")
    system = next((name for sign, name in _SYSTEMS if sign in said), "")
    return " on ".join(filter(None, (browser, system)))


async def sign_in_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a form of somebody who is not signed in yet."""
    body = (await read_body(request, FORM_BYTES_MAX)).decode("utf-8", "replace")
    return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=FIELDS_MAX))


async def end_session(request: Request) -> None:
    """End the session that the browser has, if it is one."""
    held = session_in(request)
    if held is None:
        return
    try:
        await client_of(request, held).delete("/v1/me/sessions/current")
    except ApiError:
        return  # it had ended, is a token, or ends by itself


async def admitted(request: Request, secret: str, onward: str) -> Response:
    """Return the way on for a browser that has a new session."""
    await end_session(request)
    entered = RedirectResponse(inside(request, onward), HTTPStatus.SEE_OTHER)
    lifetime = request.app.state.desk.session_lifetime.whole
    keep_session(request, entered, secret, lifetime)
    return entered
