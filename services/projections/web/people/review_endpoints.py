"""The screen of an access review: every right, who gave it, when it was last used."""

from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.api_client import ApiClient, names_of, person_of
from services.projections.web.people.views import UNUSED, is_unused
from services.projections.web.people.visitor import (
    emergency_of,
    number_in,
    people_screen,
    visitor_of,
)
from services.projections.web.rendering import page
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

SHOWN_MAX = 200
"""How many rights a page shows; the table for a spreadsheet has them all."""
_KEPT = ("content-type", "content-disposition", "cache-control")


@router.get("/people/review")
async def get_review(request: Request) -> Response:
    """Show every right; with `?unused=1` those that nobody used for 90 days."""
    return await people_screen(request, _review)


@router.get("/people/review.csv")
async def get_table(request: Request) -> Response:
    """Download the same as a table for a spreadsheet."""
    return await people_screen(request, _table)


async def _review(request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    given = request.query_params
    now = request.app.state.desk.clock()
    found = (await client.get("/v1/rights", {}))["items"]
    rights = [(each, is_unused(each, now)) for each in found]
    only_unused = bool(given.get("unused"))
    wanted = [each for each in rights if each[1] or not only_unused]
    first = number_in(given.get("from", ""))
    part = wanted[first : first + SHOWN_MAX]
    people = [each["person"] for each, _ in part]
    givers = [person_of(each["given_by"]) for each, _ in part]
    more = len(wanted) > first + SHOWN_MAX
    return page(
        "rights_review.html",
        language_of(request),
        HTTPStatus.OK,
        visitor=visitor,
        **visitor.head,
        emergency=await emergency_of(client),
        now=now.isoformat(),
        rights=part,
        total=len(wanted),
        unused=sum(is_it for _, is_it in rights),
        days=UNUSED.days,
        only_unused=only_unused,
        following=first + SHOWN_MAX if more else None,
        names=await names_of(client, [*people, *givers]),
        zone=visitor.zone,
        place="/people/review",
        query=urlencode({"unused": "1"}) if only_unused else "",
    )


async def _table(_: Request, client: ApiClient) -> Response:
    content, headers = await client.content("/v1/rights?format=csv")
    kept = {name: headers[name] for name in _KEPT if name in headers}
    return Response(content, headers=kept)
