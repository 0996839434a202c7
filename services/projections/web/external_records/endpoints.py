"""The page of an external record, to read: what it is now, and its incidents."""

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


@router.get("/records/{type}/{id}")
async def get_external_record(request: Request, type: str, id: str) -> Response:  # noqa: A002 # as the address names them
    """Show an external record and the incidents that are linked to it."""
    return await screen(request, partial(_record, type, id))


async def _record(
    type_: str, id_: str, request: Request, client: ApiClient
) -> Response:
    place = f"/v1/records/{quote(type_, safe='')}/{quote(id_, safe='')}"
    given = request.query_params
    reached = {k: given[k] for k in ("min_position",) if given.get(k)}
    after = {k: given[k] for k in ("cursor",) if given.get(k)}
    asked = {**reached, **after, "limit": str(INCIDENTS_MAX)}
    me, record, incidents = await asyncio.gather(
        client.get("/v1/me", {}),
        client.get(place, reached),
        client.get(f"{place}/incidents", asked),
    )
    return page(
        "external_record.html",
        language_of(request),
        record=record,
        incidents=incidents,
        zone=me["zone"],
        **owner_of(me),
        feed=of_records(
            record["as_of"]["position"],
            [record["ref"], *(each["ref"] for each in incidents["items"])],
        ),
    )
