"""The page behind the link in a survey mail: a few questions, no account.

It needs no script and no cookie. Only its button answers: its form has a token that
only the page itself shows, so neither a program that opens every link in a mail, nor
one that posts to it, nor another site answers in the reader's name.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.api_client import ApiError, client_of
from services.projections.web.link_pages import (
    NOT_FROM_THE_PAGE,
    LinkPage,
    back_to,
    form_of,
    is_genuine,
    shown_page,
)
from shared.domain.bounded_text import WORDS_MAX
from shared.domain.commands.survey import CHOICES_MAX
from shared.http.bodies import read_body
from shared.web.language import keep_language

router = APIRouter(include_in_schema=False)

PAGE = LinkPage(
    "survey.html", "/survey", "/v1/survey-links", answerable=frozenset({"open"})
)

BYTES_MAX = 12 * WORDS_MAX
"""A character takes up to twelve bytes in a form: `%F0%9F%98%80`."""
FIELDS_MAX = CHOICES_MAX + 2
_CHOICE = "choice."
_INCOMPLETE = ApiError(
    HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "choose an answer to every question"
)


@router.get("/survey/{token}")
async def get_page(request: Request, token: str) -> Response:
    """Show the page."""
    shown = await _shown(request, token, {})
    keep_language(request, shown)
    return shown


@router.post("/survey/{token}")
async def post_answer(request: Request, token: str) -> Response:
    """Record the answer, then lead back to the page."""
    form = form_of(await read_body(request, BYTES_MAX), FIELDS_MAX)
    if not is_genuine(request, token, form):
        return await _shown(request, token, form, NOT_FROM_THE_PAGE)
    client = client_of(request)
    body: dict[str, Any] = {"choices": _choices(form)}
    # Browsers send the ends of lines as two characters, which count for the limit.
    if comment := form.get("comment", "").replace("\r\n", "\n").strip():
        body["comment"] = comment
    try:
        seen = await client.get(PAGE.path_of(token), {})
        if seen["state"] == "open":
            if body["choices"].keys() < {each["id"] for each in seen["questions"]}:
                return await _shown(request, token, form, _INCOMPLETE)
            await client.post(PAGE.path_of(token), body)
    except ApiError as error:
        return await _shown(request, token, form, error)
    return back_to(request, PAGE.place_of(token))


def _choices(form: Mapping[str, str]) -> dict[str, int]:
    """Return what was chosen; what is not a digit of the scale is left out."""
    return {
        name.removeprefix(_CHOICE): int(value)
        for name, value in form.items()
        if name.startswith(_CHOICE) and value in {"1", "2", "3", "4", "5"}
    }


async def _shown(
    request: Request,
    token: str,
    form: Mapping[str, str],
    error: ApiError | None = None,
) -> Response:
    """Return the page, with what was chosen if it could not be recorded."""
    chosen = {"choices": _choices(form), "comment": form.get("comment", "")}
    return await shown_page(request, PAGE, token, error, **chosen)
