"""The page behind the link in a page: one button to take an incident, no account.

It needs no script and no cookie. Only a button answers: its form has a token that only
the page itself shows, so neither a program that opens every link in a mail, nor one
that posts to it, nor another site answers in the reader's name.

A chat server posts JSON when its button is pressed. No form of another site can do so.
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
    "take.html",
    "/take",
    "/v1/page-links",
    answerable=frozenset({"waiting", "yours"}),
    outcomes=frozenset({"take", "decline", "another", "already"}),
)

BYTES_MAX = 1_000
FIELDS_MAX = 10


@router.get("/take/{token}")
async def get_page(request: Request, token: str) -> Response:
    """Show the page."""
    shown = await shown_page(request, PAGE, token)
    keep_language(request, shown)
    return shown


@router.post("/take/{token}")
async def post_answer(request: Request, token: str) -> Response:
    """Answer as the button says, then lead back to the page."""
    if request.headers.get("content-type", "").startswith("application/json"):
        return await pressed_in_chat(request, PAGE, token, lambda _: "acknowledged")
    form = form_of(await read_body(request, BYTES_MAX), FIELDS_MAX)
    if not is_genuine(request, token, form):
        return await shown_page(request, PAGE, token, NOT_FROM_THE_PAGE)
    action = form.get("action", "")
    client = client_of(request)
    try:
        body = {"action": action, "key": form.get("key", "")}
        answer = await client.post(PAGE.path_of(token), body)
    except ApiError as error:
        return await shown_page(request, PAGE, token, error)
    done = action if answer["outcome"] in ("recorded", "repeated") else "already"
    return back_to(request, PAGE.place_of(token), done=done)
