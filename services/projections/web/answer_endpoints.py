"""The page behind a link in a mail: the question and two buttons, without an account.

Only a button answers, so a program that opens every link in a mail cannot.
"""

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.api_client import ApiClient, Refused
from services.projections.web.rendering import page
from services.projections.web.words import refusal
from shared.http.bodies import read_body
from shared.http.form_limits import address_of
from shared.i18n.formats import Language
from shared.web.language import is_language, language_of

router = APIRouter(include_in_schema=False)

BYTES_MAX = 1_000


@router.get("/answer/{token}")
async def get_question(request: Request, token: str) -> Response:
    """Show the question."""
    return await _shown(request, token)


@router.post("/answer/{token}")
async def post_answer(request: Request, token: str) -> Response:
    """Take the answer of the button, and show its outcome."""
    form = parse_qs((await read_body(request, BYTES_MAX)).decode("latin-1"))
    body = {"answer": form.get("answer", [""])[0]}
    asker = ApiClient(request.app, None, _address(request))
    try:
        await asker.post(_door(token), body)
    except Refused as no:
        return await _shown(request, token, no)
    return await _shown(request, token)


async def _shown(request: Request, token: str, no: Refused | None = None) -> Response:
    language = language_of(request)
    status, asked = HTTPStatus.OK if no is None else no.status, None
    try:
        asked = await ApiClient(request.app, None).get(_door(token), {})
    except Refused as unknown:
        no, status = unknown, unknown.status
    if asked is not None:
        language = _own(asked, request, language)
    why = refusal(language, no.code, str(no)) if no else ""
    shown = page(
        "answer.html",
        language,
        status,
        screen="answer",
        asked=asked,
        why=why,
        token=token,
    )
    # The address contains the key: it must not be sent as a referrer or cached.
    shown.headers["Referrer-Policy"] = "no-referrer"
    shown.headers["X-Robots-Tag"] = "noindex"
    return shown


def _own(asked: dict[str, Any], request: Request, liked: Language) -> Language:
    """Return the reader's own language, unless they have just chosen another."""
    own = asked["language"]
    chosen = request.query_params.get("lang")
    return own if is_language(own) and not is_language(chosen) else liked


def _door(token: str) -> str:
    return f"/v1/answers/{quote(token, safe='')}"


def _address(request: Request) -> str:
    return address_of(request, request.app.state.desk.trusted_proxies)
