"""The screen that shows whom an incident would page, before there is one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.api_client import ApiClient, ApiError, names_of
from services.projections.web.people.visitor import people_screen, visitor_of, why_not
from services.projections.web.rendering import page
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

PRIORITIES = ("p1", "p2", "p3", "p4")
PLACE = "/on-call/preview"
TEXT_MAX = 64


@router.get(PLACE)
async def get_preview(request: Request) -> Response:
    """Show a form; with a service, who would be told when, by what."""
    return await people_screen(request, _preview)


async def _preview(request: Request, client: ApiClient) -> Response:
    visitor, language = await visitor_of(client), language_of(request)
    asked = {
        name: request.query_params.get(name, "").strip()[:TEXT_MAX]
        for name in ("service", "priority", "team", "at")
    }
    found: Mapping[str, Any] | None = None
    why = ""
    if asked["service"]:
        try:
            body = _question(asked, visitor.zone)
            found = await client.post("/v1/escalation-previews", body)
        except ApiError as error:
            why = " ".join(filter(None, why_not(language, error)))
    people = [
        who
        for each in (found or {"items": ()})["items"]
        for who in (*each["people"], *(each["out_of_hours"] or ()))
    ]
    return page(
        "escalation_preview.html",
        language,
        **visitor.head,
        asked=asked,
        found=found,
        why=why,
        priorities=PRIORITIES,
        names=await names_of(client, people),
        zone=visitor.zone,
        place=PLACE,
        query="",
    )


def _question(asked: Mapping[str, str], zone: str) -> dict[str, str]:
    """Return the body of the question; an instant without an offset is local."""
    body = {name: value for name, value in asked.items() if value}
    body.setdefault("priority", PRIORITIES[0])
    try:
        at = datetime.fromisoformat(asked["at"])
    except ValueError:
        return body  # the API says what is wrong with it
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(zone))
    return body | {"at": at.isoformat()}
