"""The page behind a link in a mail: the question and two buttons, without an account.

Only a button answers, so a program that opens every link in a mail cannot.
"""

from http import HTTPStatus
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.api_client import ApiError, client_of
from services.projections.web.link_pages import (
    PRIVATE,
    form_of,
    own_language,
)
from services.projections.web.rendering import page
from shared.http.bodies import read_body
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

BYTES_MAX = 1_000
FIELDS_MAX = 10


@router.get("/answer/{token}")
async def get_question(request: Request, token: str) -> Response:
    """Show the question."""
    return await _shown(request, token)


@router.post("/answer/{token}")
async def post_answer(request: Request, token: str) -> Response:
    """Take the answer of the button, and show its outcome."""
    form = form_of(await read_body(request, BYTES_MAX), FIELDS_MAX)
    body = {"answer": form.get("answer", "")}
    try:
        await client_of(request).post(_path(token), body)
    except ApiError as error:
        return await _shown(request, token, error)
    return await _shown(request, token)


async def _shown(
    request: Request, token: str, error: ApiError | None = None
) -> Response:
    language = language_of(request)
    asked = None
    try:
        asked = await client_of(request).get(_path(token), {})
    except ApiError as unknown:
        error = unknown
    status = error.status if error else HTTPStatus.OK
    language = own_language(asked, request, language)
    why = refusal_text(language, error.code, str(error)) if error else ""
    shown = page(
        "answer.html",
        language,
        status,
        screen="answer",
        asked=asked,
        why=why,
        token=token,
    )
    shown.headers.update(PRIVATE)
    return shown


def _path(token: str) -> str:
    return f"/v1/answers/{quote(token, safe='')}"
