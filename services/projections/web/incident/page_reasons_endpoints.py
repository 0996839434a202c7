"""Why somebody was paged for an incident, or was not: the visitor, or a colleague."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.actions import Expired, new_draft, sent_form
from services.projections.web.api_client import ApiClient, ApiError, names_of
from services.projections.web.people.visitor import Visitor, visitor_of
from services.projections.web.rendering import page, refusal_of
from services.projections.web.screens import screen
from shared.domain.policy.clause import PERSON
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

PERSON_ID = re.compile(PERSON)
TEXT_MAX = 128
QUESTIONS_MAX = 20
"""The questions about the visitor that are shown."""


@router.get("/incidents/{ref}/why")
async def get_page_reasons(request: Request, ref: str) -> Response:
    """Show why the visitor was paged, or whether a colleague was on call."""
    return await screen(request, partial(_read, ref))


@router.post("/incidents/{ref}/why")
async def post_question(request: Request, ref: str) -> Response:
    """Ask about a colleague with a reason, and show the answer."""
    return await screen(request, partial(_ask, ref))


async def _read(ref: str, request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    given = {name: request.query_params.get(name, "") for name in ("person", "at")}
    return await _shown(ref, request, client, visitor, given)


async def _ask(ref: str, request: Request, client: ApiClient) -> Response:
    visitor, language = await visitor_of(client), language_of(request)
    try:
        form = await sent_form(request)
    except Expired:
        why = refusal_text(language, "form")
        refused = HTTPStatus.FORBIDDEN
        return await _shown(ref, request, client, visitor, {}, why=why, status=refused)
    body = _asked(form, visitor) | {"reason": form.get("reason", "")}
    try:
        found = await client.post(
            f"/v1/incidents/{quote(ref, safe='')}/pages/why", body
        )
    except ApiError as error:
        if error.is_signed_out:
            raise
        why = refusal_of(language, error)
        return await _shown(
            ref, request, client, visitor, form, why=why, status=error.status
        )
    return await _shown(ref, request, client, visitor, form, found)


def _path(ref: str) -> str:
    return f"/v1/incidents/{quote(ref, safe='')}/pages/why"


def _asked(given: Mapping[str, str], visitor: Visitor) -> dict[str, str]:
    """Return the question; an instant without an offset is in the visitor's zone."""
    body = {"person": given.get("person", "").strip()[:TEXT_MAX] or visitor.person}
    written = given.get("at", "").strip()[:TEXT_MAX]
    if not written:
        return body
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return body | {"at": written}  # the API says what is wrong with it
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(visitor.zone))
    return body | {"at": at.isoformat()}


async def _shown(  # noqa: PLR0913, PLR0917 # what the screen shows
    ref: str,
    request: Request,
    client: ApiClient,
    visitor: Visitor,
    given: Mapping[str, str],
    found: Mapping[str, Any] | None = None,
    why: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    language, me = language_of(request), visitor.person
    if found is None:
        query = _asked(given, visitor) | {"lang": language}
        found = await client.get(_path(ref), query)
    items = await _questions(client, me)
    people = {found["person"], *(each["by"] for each in items)}
    return page(
        "page_reasons.html",
        language,
        status,
        **visitor.head,
        incident=found["incident"],
        found=found,
        about_me=found["person"] == me,
        questions=items,
        asked={"person": found["person"], "at": given.get("at", "")[:TEXT_MAX]},
        draft=new_draft(request),
        why=why,
        names=await names_of(client, sorted(people)),
        zone=visitor.zone,
        place=f"/incidents/{quote(ref, safe='')}/why",
        query="",
    )


async def _questions(client: ApiClient, me: str) -> Sequence[Mapping[str, Any]]:
    """Return who asked about the visitor; nobody asks about a machine."""
    if PERSON_ID.fullmatch(me) is None:
        return ()
    found = await client.get(f"/v1/people/{me}/page-questions", {})
    items: Sequence[Mapping[str, Any]] = found["items"]
    return items[:QUESTIONS_MAX]
