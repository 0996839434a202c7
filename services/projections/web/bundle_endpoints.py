"""The page behind the link of a bundle of pages: one button to take all that wait.

Like the page behind the link of one page it needs no script and no cookie, and only
its button answers.
"""

from collections.abc import Mapping
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
    pressed_in_chat,
    shown_page,
)
from services.projections.web.take_endpoints import BYTES_MAX, FIELDS_MAX
from shared.http.bodies import read_body
from shared.web.language import keep_language

router = APIRouter(include_in_schema=False)

PAGE = LinkPage(
    "take_all.html",
    "/take-all",
    "/v1/bundle-links",
    outcomes=frozenset({"all", "some"}),
)


@router.get("/take-all/{token}")
async def get_bundle(request: Request, token: str) -> Response:
    """Show the pages of a bundle."""
    shown = await shown_page(request, PAGE, token)
    keep_language(request, shown)
    return shown


@router.post("/take-all/{token}")
async def post_bundle(request: Request, token: str) -> Response:
    """Take all incidents that wait, then lead back to the page."""
    if request.headers.get("content-type", "").startswith("application/json"):
        return await pressed_in_chat(request, PAGE, token, _outcome)
    form = form_of(await read_body(request, BYTES_MAX), FIELDS_MAX)
    if not is_genuine(request, token, form):
        return await shown_page(request, PAGE, token, NOT_FROM_THE_PAGE)
    client = client_of(request)
    try:
        body = {"action": form.get("action", ""), "key": form.get("key", "")}
        answer = await client.post(PAGE.path_of(token), body)
    except ApiError as error:
        return await shown_page(request, PAGE, token, error)
    done = "some" if answer["not_taken"] else "all"
    return back_to(request, PAGE.place_of(token), done=done)


def _outcome(answer: Mapping[str, Any]) -> str:
    """Return the name of what is said about an answer."""
    if not answer["not_taken"]:
        return "all acknowledged"
    return "some acknowledged" if answer["taken"] else "too late"
