"""The screens of sources: their keys, made, shown once and revoked; one's figures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import (
    Action,
    Draft,
    Expired,
    Field,
    key_header,
    new_draft,
    refused_draft,
    sent_form,
)
from services.projections.web.api_client import ApiClient, ApiError
from services.projections.web.people.visitor import (
    people_screen,
    visitor_of,
    why_not,
)
from services.projections.web.rendering import page
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

PLACE = "/sources"
_CREATE = Action(
    "create_key",
    (Field("source", "choice", required=True), Field("label", required=True)),
    versioned=False,
)
_ADDRESSES: Mapping[str, str] = {
    "native": "/v1/events",
    "cloudevents": "/v1/cloudevents",
    "opsgenie": "/v2/alerts",
    "pagerduty_events": "/v2/enqueue",
}
"""Where a source sends, by its type; all others to `/v1/integrations/{type}`."""
_REVOKED = "token_revoke"
KINDS = (
    "accepted",
    "duplicates",
    "rejected",
    "quarantined",
    "refused",
    "unauthorised",
)
"""The outcomes that are counted for each source."""
_MINUTES = 60


@router.get("/sources")
async def get_sources(request: Request) -> Response:
    """Show every source, what it reported in the last day, and its keys."""
    return await people_screen(request, _shown)


@router.get("/sources/{source}")
async def get_source(request: Request, source: str) -> Response:
    """Show what a source sent lately, and what is left of its limits."""
    return await people_screen(request, partial(_source, source))


@router.post("/sources/actions/create_key")
async def post_key(request: Request) -> Response:
    """Make a key for a source, and show it."""
    return await people_screen(request, _create)


@router.post("/sources/keys/{token}/revoke")
async def post_revocation(request: Request, token: str) -> Response:
    """Revoke a key."""
    return await people_screen(request, partial(_revoke, token))


async def _shown(
    request: Request,
    client: ApiClient,
    draft: Draft | None = None,
    status: int = HTTPStatus.OK,
    made: Mapping[str, Any] | None = None,
) -> Response:
    visitor = await visitor_of(client)
    found = await client.get("/v1/sources", {})
    done = request.query_params.get("done", "")
    return page(
        "sources.html",
        language_of(request),
        status,
        visitor=visitor,
        **visitor.head,
        sources=found["items"],
        left_off=found["left_off"],
        action=_action(found["items"]),
        draft=draft or new_draft(request),
        csrf=new_draft(request).csrf,
        made=made,
        address=_address(request, made) if made else "",
        done=done if done == _REVOKED else "",
        zone=visitor.zone,
        place=PLACE,
    )


async def _source(source: str, request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    found = await client.get(f"/v1/sources/{quote(source, safe='')}", {})
    return page(
        "source.html",
        language_of(request),
        **visitor.head,
        source=found,
        kinds=KINDS,
        per_minute=round(sum(found["last_hour"][k] for k in KINDS) / _MINUTES, 1),
        zone=visitor.zone,
        place=f"{PLACE}/{quote(source, safe='')}",
    )


def _action(sources: Sequence[Mapping[str, Any]]) -> Action:
    """Return the form with the sources of the policy to choose from."""
    names = tuple(each["name"] for each in sources if each["type"])
    source, label = _CREATE.fields
    offered = replace(source, choices=names, texts={name: name for name in names})
    return replace(_CREATE, fields=(offered, label))


def _address(request: Request, made: Mapping[str, Any]) -> str:
    """Return where the source sends, as its administrator reaches this desk."""
    path = _ADDRESSES.get(made["type"], f"/v1/integrations/{made['type']}")
    return f"{str(request.base_url).rstrip('/')}{path}"


async def _create(request: Request, client: ApiClient) -> Response:
    try:
        form = await sent_form(request)
    except Expired as error:
        return await _expired(request, client, error)
    source = quote(form.get("source", "").strip() or "-", safe="")
    path = f"/v1/sources/{source}/keys"
    body = {"label": form.get("label", "").strip()}
    try:
        made = await client.post(path, body, key_header(form, path))
    except ApiError as error:
        return await _refused(request, client, error, form)
    return await _shown(request, client, made=made)


async def _revoke(token: str, request: Request, client: ApiClient) -> Response:
    try:
        await sent_form(request)
        await client.delete(f"/v1/tokens/{quote(token, safe='')}")
    except Expired as error:
        return await _expired(request, client, error)
    except ApiError as error:
        return await _refused(request, client, error, {})
    return RedirectResponse(f"{PLACE}?done={_REVOKED}", HTTPStatus.SEE_OTHER)


async def _refused(
    request: Request, client: ApiClient, error: ApiError, form: Mapping[str, str]
) -> Response:
    if error.is_signed_out or error.status == HTTPStatus.FORBIDDEN:
        raise error
    why, _ = why_not(language_of(request), error)
    draft = refused_draft(request, form, error, why)
    return await _shown(request, client, draft, error.status)


async def _expired(request: Request, client: ApiClient, error: Expired) -> Response:
    why = refusal_text(language_of(request), "form")
    draft = refused_draft(request, error.form, error, why)
    return await _shown(request, client, draft, HTTPStatus.FORBIDDEN)
