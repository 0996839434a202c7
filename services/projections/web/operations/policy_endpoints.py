"""The screens of the policy: its versions, and what one of them changed, in words."""

from functools import partial
from urllib.parse import quote, urlencode

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.api_client import ApiClient, names_of, person_of
from services.projections.web.people.visitor import people_screen, visitor_of
from services.projections.web.rendering import page
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

PLACE = "/policy"
DOCUMENT_SHOWN_MAX = 50_000
"""Characters of a document on its screen; the API returns all of it."""
SHOWN_MAX = 50


@router.get("/policy")
async def get_policies(request: Request) -> Response:
    """Show the versions that were applied, the newest first."""
    return await people_screen(request, _list)


@router.get("/policy/{version}")
async def get_policy(request: Request, version: str) -> Response:
    """Show a version, and what is different from the one before or `?against=`."""
    return await people_screen(request, partial(_one, version))


async def _list(request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    asked = {"limit": str(SHOWN_MAX)}
    if cursor := request.query_params.get("cursor"):
        asked["cursor"] = cursor
    found = await client.get("/v1/policies", asked)
    people = (
        each[by] for each in found["items"] for by in ("applied_by", "approved_by")
    )
    return page(
        "policies.html",
        language_of(request),
        **visitor.head,
        policies=found["items"],
        following=found["next_cursor"],
        names=await names_of(client, map(person_of, people)),
        zone=visitor.zone,
        place=PLACE,
    )


async def _one(version: str, request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    language = language_of(request)
    asked = {"lang": language}
    against = request.query_params.get("against", "")
    if against:
        asked["against"] = against
    path = f"/v1/policies/{quote(version, safe='')}"
    found = await client.get(path, asked)
    policy = found["policy"]
    text = orjson.dumps(found["content"], option=orjson.OPT_INDENT_2).decode()
    people = (policy["applied_by"], policy["approved_by"])
    return page(
        "policy.html",
        language,
        **visitor.head,
        found=found,
        policy=policy,
        document=text[:DOCUMENT_SHOWN_MAX],
        is_cut=len(text) > DOCUMENT_SHOWN_MAX,
        names=await names_of(client, map(person_of, people)),
        zone=visitor.zone,
        place=f"{PLACE}/{policy['version']}",
        query=urlencode({"against": against}) if against else "",
    )
