"""Signing in with a token, a code or a link, and signing out.

The browser gets a new session whenever somebody signs in, and the one it had ends: a
session that somebody else planted is never the one that is signed in.
"""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.api.session_cookie import (
    drop_session,
)
from services.projections.web.api_client import ApiError, client_of
from services.projections.web.csrf import is_from_elsewhere
from services.projections.web.rendering import page
from services.projections.web.screens import inside, not_admitted, sign_in_page
from services.projections.web.sign_in.admission import (
    admitted,
    device_of,
    end_session,
    sign_in_form,
)
from shared.security.sign_in_links import link_id_of
from shared.web.language import keep_language, language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
async def get_sign_in() -> Response:
    """Lead to the page that asks for a token: the address is often typed by hand."""
    return RedirectResponse("/", HTTPStatus.SEE_OTHER)


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Begin a session with a token, or with a code that works once."""
    form = await sign_in_form(request)
    written = form.get("token", "").strip()
    kind = "link" if link_id_of(written) else "token"
    return await _entered(request, {kind: written}, form.get("next", "/"))


@router.post("/sign-in/mail")
async def mail_link(request: Request) -> Response:
    """Have a link mailed; the page is the same whether anybody has the address."""
    form = await sign_in_form(request)
    language, back = language_of(request), inside(request, form.get("next", "/"))
    if is_from_elsewhere(request):
        return sign_in_page(request, back, refusal_text(language, "elsewhere"))
    try:
        client = client_of(request)
        await client.post("/v1/sign-in/mail", {"email": form.get("email", "")})
    except ApiError as error:
        code = "email" if error.fields else error.code
        why = refusal_text(language, code, str(error))
        return not_admitted(request, back, why, error)
    return page("sign_in_mailed.html", language, place="/", back=back)


@router.get("/sign-in/link/{link}")
async def get_link(request: Request, link: str) -> Response:
    """Show the button that uses a link up: programs that open links sign nobody in."""
    shown = page(
        "sign_in_link.html",
        language_of(request),
        link=link,
        place=f"/sign-in/link/{link}",
    )
    keep_language(request, shown)
    return _unreferred(shown)


@router.post("/sign-in/link/{link}")
async def use_link(request: Request, link: str) -> Response:
    """Use a link up, and begin the session of its person."""
    await sign_in_form(request)
    return _unreferred(await _entered(request, {"link": link}, "/"))


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session of this browser."""
    has_provider = request.app.state.desk.provider is not None
    onward = RedirectResponse(
        "/signed-out" if has_provider else "/", HTTPStatus.SEE_OTHER
    )
    if not is_from_elsewhere(request):
        await end_session(request)
        drop_session(request, onward)
    return onward


async def _entered(request: Request, given: Mapping[str, str], onward: str) -> Response:
    """Begin a session with what was given, or show the sign-in page and why not."""
    language, back = language_of(request), inside(request, onward)
    if is_from_elsewhere(request):
        return sign_in_page(request, back, refusal_text(language, "elsewhere"))
    device = device_of(request.headers.get("user-agent", ""))
    try:
        client = client_of(request)
        answer = await client.post("/v1/sessions", {**given, "device": device})
    except ApiError as error:
        # What is not even in the form of a credential is one that is unknown.
        code = next(iter(given)) if error.fields else error.code
        why = refusal_text(language, code, str(error))
        return not_admitted(request, back, why, error)
    return await admitted(request, answer["session"], back)


def _unreferred(shown: Response) -> Response:
    """Keep the address, which contains a key, out of referrers and indexes."""
    shown.headers["Referrer-Policy"] = "no-referrer"
    shown.headers["X-Robots-Tag"] = "noindex"
    return shown
