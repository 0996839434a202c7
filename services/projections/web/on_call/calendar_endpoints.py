"""The screen of one's calendars: links to subscribe to, made, shown once, revoked."""

import asyncio
from functools import partial
from http import HTTPStatus
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import Expired, new_draft, sent_form
from services.projections.web.api_client import ApiClient, ApiError
from services.projections.web.people.visitor import visitor_of
from services.projections.web.rendering import page, refusal_of
from services.projections.web.screens import screen
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

PLACE = "/on-call/calendars"


@router.get("/on-call/calendars")
async def get_calendars(request: Request) -> Response:
    """Show the visitor's links, and what they can be made for."""
    return await screen(request, _shown)


@router.post("/on-call/calendars")
async def post_calendar(request: Request) -> Response:
    """Make a link, and show it."""
    return await screen(request, _made)


@router.post("/on-call/calendars/{feed}/revoke")
async def post_revocation(request: Request, feed: str) -> Response:
    """Revoke a link."""
    return await screen(request, partial(_revoked, feed))


async def _shown(
    request: Request,
    client: ApiClient,
    *,
    link: str = "",
    why: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    visitor, found, oncall = await asyncio.gather(
        visitor_of(client),
        client.get("/v1/calendars", {}),
        client.get("/v1/oncall", {}),
    )
    shown = page(
        "on_call_calendars.html",
        language_of(request),
        status,
        items=found["items"],
        schedules=[each["schedule"] for each in oncall["items"]],
        chosen=request.query_params.get("schedule", ""),
        link=link,
        why=why,
        zone=visitor.zone,
        csrf=new_draft(request).csrf,
        place=PLACE,
        **visitor.head,
    )
    if link:
        shown.headers["Cache-Control"] = "no-store"
    return shown


async def _made(request: Request, client: ApiClient) -> Response:
    language = language_of(request)
    try:
        form = await sent_form(request)
        schedule = form.get("schedule") or None
        made = await client.post("/v1/calendars", {"schedule": schedule})
    except Expired:
        why = refusal_text(language, "form")
        return await _shown(request, client, why=why, status=HTTPStatus.FORBIDDEN)
    except ApiError as error:
        return await _refused(request, client, error)
    public = request.app.state.desk.public_url or str(request.base_url)
    link = f"{public.rstrip('/')}{made['path']}"
    return await _shown(request, client, link=link)


async def _revoked(feed: str, request: Request, client: ApiClient) -> Response:
    try:
        await sent_form(request)
        await client.delete(f"/v1/calendars/{quote(feed, safe='')}")
    except Expired:
        why = refusal_text(language_of(request), "form")
        return await _shown(request, client, why=why, status=HTTPStatus.FORBIDDEN)
    except ApiError as error:
        return await _refused(request, client, error)
    return RedirectResponse(PLACE, HTTPStatus.SEE_OTHER)


async def _refused(request: Request, client: ApiClient, error: ApiError) -> Response:
    if error.is_signed_out:
        raise error
    why = refusal_of(language_of(request), error)
    return await _shown(request, client, why=why, status=error.status)
