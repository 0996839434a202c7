"""The form for users: no account, one page, on a phone too.

There is no session to misuse: who sends the form from elsewhere sends what anybody may.
"""

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.api.form_limits import address_of
from services.projections.page.asking import Asker, Refused
from services.projections.page.rendering import page
from services.projections.page.visitor import keep_language, language_of
from services.projections.page.words import LANGUAGES, is_language, refusal
from shared.http.bodies import BODY_SECONDS_MAX
from shared.wording.reader import Language

router = APIRouter(include_in_schema=False)

REPORT_BYTES_MAX = 100_000
"""10 000 characters, each written as `%F0%9F%98%A1` at worst."""
FIELDS_MAX = 20


@dataclass(frozen=True)
class Given:
    """What somebody wrote into the form; it is given back where it was refused."""

    key: str
    email: str = ""
    service: str = ""
    words: str = ""
    trap: str = ""


@router.get("/report")
async def get_report(request: Request) -> Response:
    """Show the form."""
    language = language_of(request)
    shown = await _form(request, language, Given(_new_key()))
    keep_language(request, shown)
    return shown


@router.post("/report")
async def post_report(request: Request) -> Response:
    """Take what somebody wrote, and show the reference."""
    given, language = await _given(request)
    if given.trap:
        why = LANGUAGES[language]["report.trapped"]
        return await _form(request, language, given, why)
    body = {
        "email": given.email,
        "words": given.words,
        "key": given.key,
        "language": language,
        **({"service": given.service} if given.service else {}),
    }
    asker = Asker(request.app, None, address_of(request))
    try:
        done = await asker.post("/v1/reports", body)
    except Refused as no:
        return await _form(request, language, given, _why(language, no), no.status)
    return page(
        "report.html",
        language,
        HTTPStatus.CREATED,
        screen="report",
        given=given,
        done=done,
    )


async def _form(
    request: Request,
    language: Language,
    given: Given,
    why: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    asker = Asker(request.app, None)
    form: dict[str, Any] | None = None
    try:
        form = await asker.get("/v1/reports/form", {"lang": language})
    except Refused as no:
        status, why = no.status, why or _why(language, no)
    return page(
        "report.html",
        language,
        status,
        screen="report",
        given=given,
        form=form,
        why=why,
    )


async def _given(request: Request) -> tuple[Given, Language]:
    keyless = request.app.state.desk.keyless
    async with keyless.body(request, REPORT_BYTES_MAX, seconds=BODY_SECONDS_MAX) as raw:
        written: str = raw.decode("ascii", "replace")
    try:
        fields = parse_qs(written, max_num_fields=FIELDS_MAX)
    except ValueError:  # more fields than there are
        fields = {}

    def one(name: str) -> str:
        return fields.get(name, [""])[0].strip()

    given = Given(
        one("key") or _new_key(),
        one("email"),
        one("service"),
        one("words"),
        one("trap"),
    )
    chosen = one("lang")
    return given, chosen if is_language(chosen) else language_of(request)


def _why(language: Language, no: Refused) -> str:
    """Return why it was refused, in the reader's words: about which field, if known."""
    known = ("email", "words")
    field = next((name for name in known if name in no.fields), None)
    if no.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return LANGUAGES[language][f"no.{field or 'report'}"]
    return refusal(language, no.code, str(no))


def _new_key() -> str:
    return secrets.token_urlsafe(24)
