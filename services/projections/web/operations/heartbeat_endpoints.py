"""The screen of heartbeats, with their state and when each is due."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.api_client import ApiClient
from services.projections.web.people.visitor import people_screen, visitor_of
from services.projections.web.rendering import page
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

STATES = ("silent", "beating", "waiting")
"""Of heartbeats, in the order in which they are shown."""


@router.get("/heartbeats")
async def get_heartbeats(request: Request) -> Response:
    """Show every heartbeat: those that are late first, then by when each is due."""
    return await people_screen(request, _heartbeats)


async def _heartbeats(request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    found = (await client.get("/v1/heartbeats", {}))["items"]
    state = request.query_params.get("state", "")
    shown = [each for each in found if state not in STATES or each["state"] == state]
    return page(
        "heartbeats.html",
        language_of(request),
        **visitor.head,
        heartbeats=sorted(shown, key=_urgency),
        total=len(found),
        states=STATES,
        state=state,
        zone=visitor.zone,
        place="/heartbeats",
        query=f"state={state}" if state in STATES else "",
    )


def _urgency(heartbeat: Mapping[str, Any]) -> tuple[int, str, str]:
    due = heartbeat["silent_since"] or heartbeat["expected_by"] or ""
    return STATES.index(heartbeat["state"]), due, heartbeat["name"]
