"""The page of a problem or of a change, to read: what it is, and its incidents."""

import asyncio
from functools import partial
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.api_client import ApiClient, owner_of
from services.projections.web.feed import of_records
from services.projections.web.rendering import page
from services.projections.web.screens import screen
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

INCIDENTS_MAX = 50
"""How many incidents are on a page."""


@router.get("/problems/{ref}")
async def get_problem(request: Request, ref: str) -> Response:
    """Show a problem and its incidents."""
    return await screen(request, partial(_record, "problems", ref))


@router.get("/changes/{ref}")
async def get_change(request: Request, ref: str) -> Response:
    """Show a change and the incidents that led to it or that it caused."""
    return await screen(request, partial(_record, "changes", ref))


async def _record(kind: str, ref: str, request: Request, client: ApiClient) -> Response:
    place, given = f"/v1/{kind}/{quote(ref, safe='')}", request.query_params
    reached = {k: given[k] for k in ("min_position",) if given.get(k)}
    after = {k: given[k] for k in ("cursor",) if given.get(k)}
    asked = {**reached, **after, "limit": str(INCIDENTS_MAX)}
    me, record, incidents = await asyncio.gather(
        client.get("/v1/me", {}),
        client.get(place, reached),
        client.get(f"{place}/incidents", asked),
    )
    return page(
        "record.html",
        language_of(request),
        kind=kind,
        record=record,
        incidents=incidents,
        may_command=me["may_command"],
        zone=me["zone"],
        **owner_of(me),
        feed=of_records(
            record["as_of"]["position"],
            [ref, record.get("problem"), *(each["ref"] for each in incidents["items"])],
        ),
    )
