"""The screens of a sample: to draw it, and to work through each incident of it."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.api_client import ApiClient, ApiError, names_of
from services.projections.web.audit.endpoints import downloaded
from services.projections.web.audit.views import head_of, people_in, shown_period
from services.projections.web.people.visitor import (
    allowed_items,
    people_screen,
    visitor_of,
)
from services.projections.web.rendering import page, refusal_of
from shared.http.problem_details import HttpError
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

PLACE = "/audit/sample"
SIZE = "25"
_FIELDS = ("seed", "size", "priority", "client", "overridden", "position", "chain")


@router.get("/audit/sample")
async def get_sample(request: Request) -> Response:
    """Show the form that draws a sample, and the sample of the address."""
    return await people_screen(request, _sample)


@router.get("/audit/sample/rows")
async def get_rows(request: Request) -> Response:
    """Download a sample as a table for a spreadsheet, or as lines of JSON."""
    return await people_screen(request, _rows)


@router.get("/audit/incidents/{ref}")
async def get_incident(request: Request, ref: str) -> Response:
    """Show what there is to check about an incident."""
    return await people_screen(request, partial(_incident, ref))


def _fields(given: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name in _FIELDS if (text := given.get(name, "").strip())}


def _asked(
    request: Request, given: Mapping[str, str], zone: str
) -> tuple[dict[str, str], str]:
    """Return what the API is asked, and why the period is not that of the address."""
    shown = shown_period(request, given, zone)
    return {**shown.asked, "zone": zone, **_fields(given)}, shown.wrong


async def _sample(request: Request, client: ApiClient) -> Response:
    # Without a seed nothing is drawn: this refuses those who may not audit.
    visitor, _ = await asyncio.gather(
        visitor_of(client), client.get("/v1/audit/chain", {})
    )
    language = language_of(request)
    given = request.query_params
    shown = shown_period(request, given, visitor.zone)
    found, wrong = None, shown.wrong
    if given.get("seed", "").strip() and not wrong:
        try:
            found = await client.get(
                "/v1/audit/sample", _asked(request, given, visitor.zone)[0]
            )
        except ApiError as error:
            if error.status not in (422, 409, 503):
                raise
            wrong = refusal_of(language, error)
    query = {**shown.period.query, **_fields(given)}
    clients = await allowed_items(client, "/v1/clients", {})
    return page(
        "audit_sample.html",
        language,
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        **head_of(visitor),
        shown=shown,
        wrong=wrong,
        found=found,
        given={"size": SIZE, **_fields(given)},
        again=_again(query, found) if found else "",
        clients=[each["client"] for each in clients or ()],
        place=PLACE,
        query=urlencode(query),
    )


def _again(query: Mapping[str, str], found: Mapping[str, Any]) -> str:
    """Return the query that draws this very sample again."""
    drawn = {"position": str(found["position"]), "chain": found["chain"]}
    return urlencode({**query, **drawn})


async def _rows(request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    given = request.query_params
    asked, wrong = _asked(request, given, visitor.zone)
    if wrong:
        raise HttpError(422, wrong)
    asked["format"] = "jsonl" if given.get("format") == "jsonl" else "csv"
    return await downloaded(client, f"/v1/audit/sample?{urlencode(asked)}")


class Neighbours(NamedTuple):
    """Where an incident is in a sample, and the incidents beside it."""

    number: int
    of: int
    before: str | None
    after: str | None


async def _incident(ref: str, request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    language = language_of(request)
    given = request.query_params
    path = quote(ref, safe="")
    # First and alone: those who may not audit get the same answer every time.
    audit = await client.get(f"/v1/audit/incidents/{path}", {"lang": language})
    incident, explained, files = await asyncio.gather(
        client.get(f"/v1/incidents/{path}", {}),
        client.get(f"/v1/incidents/{path}/sla/explain", {"lang": language}),
        client.get(f"/v1/incidents/{path}/attachments", {}),
    )
    around = await _around(request, client, ref, given, visitor.zone)
    query = {**shown_period(request, given, visitor.zone).period.query}
    people = [*audit["items"], *audit["decisions"]]
    return page(
        "audit_incident.html",
        language,
        **head_of(visitor),
        incident=incident,
        audit=audit,
        promises=explained["items"],
        files=files["items"],
        around=around,
        kept=urlencode({**query, **_fields(given)}) if around else "",
        names=await names_of(client, people_in(people)),
        place=f"/audit/incidents/{path}",
        query=urlencode({**query, **_fields(given)}) if around else "",
    )


async def _around(
    request: Request, client: ApiClient, ref: str, given: Mapping[str, str], zone: str
) -> Neighbours | None:
    """Return the place of an incident in the sample of the address, if it is in one."""
    if not given.get("seed"):
        return None
    try:
        asked = _asked(request, given, zone)[0]
        found = await client.get("/v1/audit/sample", asked)
    except ApiError:
        return None  # the page of the incident is worth showing without it
    refs = [each["incident"] for each in found["items"]]
    return neighbours(refs, ref)


def neighbours(refs: Sequence[str], ref: str) -> Neighbours | None:
    """Return where an incident is among others, None if it is not."""
    if ref not in refs:
        return None
    at = refs.index(ref)
    before = refs[at - 1] if at else None
    after = refs[at + 1] if at + 1 < len(refs) else None
    return Neighbours(at + 1, len(refs), before, after)
