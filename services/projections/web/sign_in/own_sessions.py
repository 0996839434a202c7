"""The page of one's own sessions, and for an admin of everybody's."""

from functools import partial
from http import HTTPStatus
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import Expired, new_draft, sent_form
from services.projections.web.api_client import ApiClient, ApiError, names_of, owner_of
from services.projections.web.rendering import page
from services.projections.web.screens import screen
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

_PERSON = "person:"


@router.get("/sessions")
async def get_sessions(request: Request) -> Response:
    """Show the visitor's sessions; with `?everybody=1` those of all people."""
    return await screen(request, _sessions)


@router.post("/sessions/end")
async def end_others(request: Request) -> Response:
    """End the visitor's other sessions."""
    return await screen(request, partial(_end, None))


@router.post("/sessions/{session}/end")
async def end_session(request: Request, session: str) -> Response:
    """End one session."""
    return await screen(request, partial(_end, session))


async def _sessions(request: Request, client: ApiClient, why: str = "") -> Response:
    everybody = "everybody" in request.query_params
    me = await client.get("/v1/me", {})
    path = "/v1/sessions" if everybody else "/v1/me/sessions"
    found = (await client.get(path, {}))["items"]
    people = [each["actor"].removeprefix(_PERSON) for each in found]
    return page(
        "sessions.html",
        language_of(request),
        HTTPStatus.BAD_REQUEST if why else HTTPStatus.OK,
        sessions=found,
        names=await names_of(client, people),
        everybody=everybody,
        may_see_everybody="admin" in me["scopes"],
        zone=me["zone"],
        **owner_of(me),
        csrf=new_draft(request).csrf,
        query="everybody=1" if everybody else "",
        why=why,
    )


async def _end(session: str | None, request: Request, client: ApiClient) -> Response:
    language = language_of(request)
    try:
        await sent_form(request)
    except Expired:
        return await _sessions(request, client, refusal_text(language, "form"))
    everybody = "everybody" in request.query_params
    base = "/v1/sessions" if everybody else "/v1/me/sessions"
    path = base if session is None else f"{base}/{quote(session, safe='')}"
    try:
        await client.delete("/v1/me/sessions" if session is None else path)
    except ApiError as error:
        if error.is_signed_out:
            raise
        why = refusal_text(language, error.code, str(error))
        return await _sessions(request, client, why)
    onward = "/sessions?everybody=1" if everybody else "/sessions"
    return RedirectResponse(onward, HTTPStatus.SEE_OTHER)
