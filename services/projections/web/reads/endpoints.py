"""The page on which auditors ask who read an incident, or what somebody read.

The answer is shown once, to the form: it has no address, so nothing asks again unseen.
"""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.actions import (
    Expired,
    new_draft,
    reference_of,
    sent_form,
)
from services.projections.web.api_client import ApiClient, ApiError, names_of, person_of
from services.projections.web.people.visitor import Visitor, people_screen, visitor_of
from services.projections.web.rendering import page, refusal_of
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

PLACE = "/audit/reads"
ASKED_AT = "/v1/audit/reads"
SHOWN_MAX = 100
"""The rows of a page; a table for a spreadsheet has five times as many."""
ROWS_MAX = 500
FIELDS = ("record", "reader", "from", "to", "reason")
TEXT_MAX = 1_000
_KEPT = ("content-type", "content-disposition")


@router.get("/audit/reads")
async def get_question(request: Request) -> Response:
    """Show the form of a question."""
    return await people_screen(request, _empty)


@router.post("/audit/reads")
async def post_question(request: Request) -> Response:
    """Ask, and show the answer, or return it as a table for a spreadsheet."""
    return await people_screen(request, _ask)


async def _empty(request: Request, client: ApiClient) -> Response:
    return await _shown(request, client, await _auditor(client), {})


async def _auditor(client: ApiClient) -> Visitor:
    """Return the visitor, who is an auditor. Raises `ApiError`."""
    visitor = await visitor_of(client)
    if "auditor" not in visitor.scopes:
        raise ApiError(HTTPStatus.FORBIDDEN, "scope", "only auditors ask who read what")
    return visitor


async def _ask(request: Request, client: ApiClient) -> Response:
    visitor, language = await _auditor(client), language_of(request)
    try:
        form = await sent_form(request)
    except Expired as expired:
        why = refusal_text(language, "form")
        refused = HTTPStatus.FORBIDDEN
        return await _shown(
            request, client, visitor, expired.form, why=why, status=refused
        )
    body = _asked(form, visitor)
    try:
        if form.get("format") == "csv":
            return await _table(client, body)
        asked = {"limit": str(SHOWN_MAX)}
        if form.get("cursor"):
            asked["cursor"] = form["cursor"]
        found = await client.post(ASKED_AT, body, asked=asked)
    except ApiError as error:
        if error.is_signed_out or error.status == HTTPStatus.FORBIDDEN:
            raise
        why = refusal_of(language, error)
        return await _shown(
            request, client, visitor, form, why=why, status=error.status
        )
    return await _shown(request, client, visitor, form, found)


async def _table(client: ApiClient, body: Mapping[str, str]) -> Response:
    asked = {"format": "csv", "limit": str(ROWS_MAX)}
    content, headers = await client.posted_rows(ASKED_AT, body, asked)
    kept = {name: headers[name] for name in _KEPT if name in headers}
    return Response(content, headers=kept)


def _asked(form: Mapping[str, str], visitor: Visitor) -> dict[str, str]:
    """Return the question; instants are in the visitor's zone, people by their id."""
    given = {name: form.get(name, "").strip()[: TEXT_MAX + 1] for name in FIELDS}
    body = {name: text for name, text in given.items() if text}
    if "record" in body:
        body["record"] = reference_of(body["record"], "INC") or body["record"]
    if "reader" in body and ":" not in body["reader"]:
        body["reader"] = f"person:{body['reader']}"
    for name in ("from", "to"):
        if name in body:
            body[name] = _instant(body[name], visitor.zone)
    return body | {"reason": given["reason"]}


def _instant(written: str, zone: str) -> str:
    """Return an instant with its offset; as it is, if the API has to refuse it."""
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return written
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).isoformat()


async def _shown(  # noqa: PLR0913 # what the screen shows
    request: Request,
    client: ApiClient,
    visitor: Visitor,
    form: Mapping[str, str],
    found: Mapping[str, Any] | None = None,
    *,
    why: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    items = found["items"] if found else ()
    readers = {person_of(each["reader"]) for each in items}
    return page(
        "reads.html",
        language_of(request),
        status,
        visitor=visitor,
        **visitor.head,
        asked={name: form.get(name, "")[:TEXT_MAX] for name in FIELDS},
        found=found,
        draft=new_draft(request),
        why=why,
        names=await names_of(client, readers),
        zone=visitor.zone,
        place=PLACE,
        query="",
    )
