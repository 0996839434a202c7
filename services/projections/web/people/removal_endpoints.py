"""The screen of a removal: what somebody would leave behind, and what has ended."""

from functools import partial
from http import HTTPStatus
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.actions import (
    Draft,
    Expired,
    act,
    new_draft,
    refused_draft,
    sent_form,
)
from services.projections.web.api_client import ApiClient, ApiError, names_of
from services.projections.web.people.actions import REMOVE
from services.projections.web.people.visitor import (
    allowed_items,
    people_screen,
    visitor_of,
    why_not,
)
from services.projections.web.rendering import page
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)


@router.get("/person/{person}/removal")
async def get_removal(request: Request, person: str) -> Response:
    """Show what a person would leave behind, and the form that removes them."""
    return await people_screen(request, partial(_asked, person))


@router.post("/person/{person}/removal")
async def post_removal(request: Request, person: str) -> Response:
    """Remove a person, and show what ended and what they leave behind."""
    return await people_screen(request, partial(_remove, person))


async def _asked(
    person: str,
    request: Request,
    client: ApiClient,
    draft: Draft | None = None,
    status: int = HTTPStatus.OK,
    detail: str = "",
) -> Response:
    visitor = await visitor_of(client)
    duties = await client.get(f"{_api(person)}/duties", {})
    rights = await client.get(f"{_api(person)}/rights", {})
    held = [each for each in rights["items"] if not each["ended_at"]]
    asked: dict[str, str | list[str]] = {"person": person}
    sessions = await allowed_items(client, "/v1/sessions", asked)
    return page(
        "person_removal.html",
        language_of(request),
        status,
        id=person,
        duties=duties,
        held=held,
        sessions=sessions,
        names=await names_of(client, [person]),
        draft=draft or new_draft(request),
        detail=detail,
        removed=None,
        zone=visitor.zone,
        **visitor.head,
        place=f"/person/{quote(person, safe='')}/removal",
    )


async def _remove(person: str, request: Request, client: ApiClient) -> Response:
    language = language_of(request)
    try:
        form = await sent_form(request)
    except Expired as error:
        why = refusal_text(language, "form")
        draft = refused_draft(request, error.form, error, why)
        return await _asked(person, request, client, draft, HTTPStatus.FORBIDDEN)
    try:
        removed = await act(client, _api(person), REMOVE, form)
    except ApiError as error:
        if error.is_signed_out:
            raise
        why, detail = why_not(language, error)
        draft = refused_draft(request, form, error, why)
        return await _asked(person, request, client, draft, error.status, detail)
    visitor = await visitor_of(client)
    return page(
        "person_removal.html",
        language,
        id=person,
        duties=removed["duties"],
        removed=removed,
        names=await names_of(client, [person]),
        zone=visitor.zone,
        **visitor.head,
        place=f"/person/{quote(person, safe='')}",
    )


def _api(person: str) -> str:
    return f"/v1/people/{quote(person, safe='')}"
