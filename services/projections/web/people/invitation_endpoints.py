"""The screen of invitations: the form, and those that were sent."""

from functools import partial
from http import HTTPStatus
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import (
    Draft,
    Expired,
    act,
    new_draft,
    refused_draft,
    sent_form,
)
from services.projections.web.api_client import ApiClient, ApiError, names_of
from services.projections.web.people.actions import INVITE, adapted
from services.projections.web.people.visitor import (
    people_screen,
    teams_of_policy,
    visitor_of,
    why_not,
)
from services.projections.web.rendering import page
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

PLACE = "/people/invitations"
_DONE = ("invite", "uninvite")


@router.get("/people/invitations")
async def get_invitations(request: Request) -> Response:
    """Show the form of an invitation, and those that were sent."""
    return await people_screen(request, _shown)


@router.post("/people/invitations/actions/invite")
async def post_invitation(request: Request) -> Response:
    """Invite somebody."""
    return await people_screen(request, _invite)


@router.post("/people/invitations/{invitation}/revoke")
async def post_revocation(request: Request, invitation: str) -> Response:
    """Revoke an invitation."""
    return await people_screen(request, partial(_revoke, invitation))


async def _shown(
    request: Request,
    client: ApiClient,
    draft: Draft | None = None,
    status: int = HTTPStatus.OK,
    detail: str = "",
) -> Response:
    visitor = await visitor_of(client)
    invitations = (await client.get("/v1/invitations", {}))["items"]
    teams = await teams_of_policy(client)
    people = [each[name] for each in invitations for name in ("person", "note")]
    done = request.query_params.get("done", "")
    return page(
        "invitations.html",
        language_of(request),
        status,
        visitor=visitor,
        **visitor.head,
        invitations=invitations,
        now=request.app.state.desk.clock().isoformat(),
        names=await names_of(client, people),
        action=adapted(INVITE, teams, visitor.zone),
        draft=draft or new_draft(request),
        csrf=new_draft(request).csrf,
        detail=detail,
        done=done if done in _DONE else "",
        zone=visitor.zone,
        place=PLACE,
    )


async def _invite(request: Request, client: ApiClient) -> Response:
    language = language_of(request)
    try:
        form = await sent_form(request)
    except Expired as error:
        return await _expired(request, client, error)
    action = adapted(INVITE, await teams_of_policy(client), "UTC")
    person = quote(form.get("person", "").strip() or "-", safe="")
    try:
        await act(client, f"/v1/people/{person}", action, form)
    except ApiError as error:
        if error.is_signed_out:
            raise
        why, detail = why_not(language, error)
        draft = refused_draft(request, form, error, why)
        return await _shown(request, client, draft, error.status, detail)
    return RedirectResponse(f"{PLACE}?done=invite", HTTPStatus.SEE_OTHER)


async def _revoke(invitation: str, request: Request, client: ApiClient) -> Response:
    try:
        await sent_form(request)
        await client.delete(f"/v1/invitations/{quote(invitation, safe='')}")
    except Expired as error:
        return await _expired(request, client, error)
    except ApiError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        why, detail = why_not(language_of(request), error)
        draft = refused_draft(request, {}, error, why)
        return await _shown(request, client, draft, error.status, detail)
    return RedirectResponse(f"{PLACE}?done=uninvite", HTTPStatus.SEE_OTHER)


async def _expired(request: Request, client: ApiClient, error: Expired) -> Response:
    why = refusal_text(language_of(request), "form")
    draft = refused_draft(request, error.form, error, why)
    return await _shown(request, client, draft, HTTPStatus.FORBIDDEN)
