"""The page behind the link in a page test: one button, no account.

It needs no script and no cookie. Only its button answers: its form has a token that
only the page itself shows, so a program that opens every link in a message answers
nothing.
"""

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
    pressed_in_chat,
    shown_page,
)
from shared.http.bodies import read_body
from shared.web.language import keep_language

router = APIRouter(include_in_schema=False)

PAGE = LinkPage(
    "page_test.html",
    "/page-test",
    "/v1/page-test-links",
    answerable=frozenset({"open"}),
)

BYTES_MAX = 1_000
FIELDS_MAX = 3


@router.get("/page-test/{token}")
async def get_page(request: Request, token: str) -> Response:
    """Show the page."""
    shown = await shown_page(request, PAGE, token)
    keep_language(request, shown)
    return shown


@router.post("/page-test/{token}")
async def post_answer(request: Request, token: str) -> Response:
    """Record the answer, then lead back to the page."""
    if request.headers.get("content-type", "").startswith("application/json"):
        return await pressed_in_chat(
            request, PAGE, token, lambda _: "confirmed", sends_context=False
        )
    form = form_of(await read_body(request, BYTES_MAX), FIELDS_MAX)
    if not is_genuine(request, token, form):
        return await shown_page(request, PAGE, token, NOT_FROM_THE_PAGE)
    try:
        await client_of(request).post(PAGE.path_of(token), {})
    except ApiError as error:
        return await shown_page(request, PAGE, token, error)
    return back_to(request, PAGE.place_of(token))
