"""The way to the identity provider and back.

The browser keeps the secret of its login in a cookie for a few minutes. It is sent when
the provider leads back, which is a link from another site (`SameSite=Lax`).
"""

from http import HTTPStatus
from urllib.parse import quote, unquote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.api_client import ApiError, client_of
from services.projections.web.rendering import page
from services.projections.web.screens import inside, not_admitted
from services.projections.web.sign_in.admission import admitted, device_of
from shared.web.language import is_https, language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

COOKIE = "permanence-login"
BACK = "/sign-in/provider/back"
LOGIN_SECONDS = 600
"""How long somebody may take at the provider."""
_BETWEEN = "|"
_GIVEN = ("state", "code", "iss")
_API = "/v1/sign-in/provider"


@router.get("/sign-in/provider")
async def go(request: Request) -> Response:
    """Lead the browser to the identity provider."""
    onward = inside(request, request.query_params.get("next", "/"))
    try:
        begun = await client_of(request).post(_API, {"back": _ours(request, BACK)})
    except ApiError as error:
        return _refused(request, onward, error)
    led = RedirectResponse(begun["address"], HTTPStatus.SEE_OTHER)
    led.set_cookie(
        _cookie(request),
        f"{begun['login']}{_BETWEEN}{quote(onward)}",
        max_age=LOGIN_SECONDS,
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="lax",
    )
    return _private(led)


@router.get(BACK)
async def come_back(request: Request) -> Response:
    """Begin the session of whom the identity provider signed in."""
    login, _, onward = request.cookies.get(_cookie(request), "").partition(_BETWEEN)
    onward, given = inside(request, unquote(onward)), request.query_params
    answer = {
        "login": login,
        "back": _ours(request, BACK),
        "device": device_of(request.headers.get("user-agent", "")),
        **{name: given[name] for name in _GIVEN if name in given},
    }
    try:
        begun = await client_of(request).post(f"{_API}/answer", answer)
    except ApiError as error:
        shown = _refused(request, onward, error)
    else:
        shown = await admitted(request, begun["session"], onward)
    shown.delete_cookie(
        _cookie(request), path="/", secure=is_https(request), httponly=True
    )
    return _private(shown)


@router.get("/signed-out")
async def signed_out(request: Request) -> Response:
    """Say that the session is over, and where to leave the provider as well."""
    home = {"back": _ours(request, "/")}
    try:
        leave = await client_of(request).get(f"{_API}/leave", home)
    except ApiError:
        leave = {"address": None, "name": ""}
    language = language_of(request)
    return page("signed_out.html", language, **leave, place="/signed-out")


def _ours(request: Request, path: str) -> str:
    """Return the address of a page, as the provider has registered it."""
    public: str = request.app.state.desk.public_url
    scheme = "https" if is_https(request) else "http"
    base = public or f"{scheme}://{request.headers.get('host', '')}"
    return base.rstrip("/") + path


def _cookie(request: Request) -> str:
    return f"__Host-{COOKIE}" if is_https(request) else COOKIE


def _refused(request: Request, onward: str, error: ApiError) -> Response:
    """Show the sign-in page, with the reason and the other ways in."""
    # What is not even in the form of an answer is one that proves nothing.
    code = "provider_refused" if error.fields else error.code
    why = refusal_text(language_of(request), code, str(error))
    return not_admitted(request, onward, why, error)


def _private(shown: Response) -> Response:
    """Keep an address that contains a code out of caches and referrers."""
    shown.headers["Cache-Control"] = "no-store"
    shown.headers["Referrer-Policy"] = "no-referrer"
    return shown
