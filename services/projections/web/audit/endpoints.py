"""The screens of what needs judgement: all kinds of a period, and the list of one."""

import asyncio
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.audit.kinds import KINDS
from services.projections.web.api_client import ApiClient, ApiError, names_of
from services.projections.web.audit.views import (
    Shown,
    actor_of,
    head_of,
    people_in,
    shown_period,
)
from services.projections.web.people.visitor import people_screen, visitor_of
from services.projections.web.rendering import page, refusal_of
from shared.http.problem_details import HttpError
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

PLACE = "/audit"
SHOWN_MAX = 50
_FILTERS = ("actor", "incident")
_DOWNLOADED = ("content-type", "content-disposition", "cache-control", "link")


@router.get("/audit")
async def get_overview(request: Request) -> Response:
    """Show how much of each kind a period has, and the state of the chain."""
    return await people_screen(request, _overview)


@router.get("/audit/kinds/{kind}")
async def get_kind(request: Request, kind: str) -> Response:
    """List what needs judgement of one kind."""
    return await people_screen(request, partial(_list, kind))


@router.get("/audit/kinds/{kind}/rows")
async def get_rows(request: Request, kind: str) -> Response:
    """Download a page of the list as a table for a spreadsheet, or as lines of JSON."""
    return await people_screen(request, partial(_rows, kind))


@router.get("/audit/log/{position}")
async def get_entry(request: Request, position: str) -> Response:
    """Show an event of the log with its place in the chain."""
    return await people_screen(request, partial(_entry, position))


def _require_known(kind: str) -> None:
    if kind not in KINDS:
        raise HttpError(404, f"there is nothing to judge under {kind[:64]}: see /audit")


async def _overview(request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    language = language_of(request)
    given = request.query_params
    shown = shown_period(request, given, visitor.zone)
    asked = {**shown.asked, "zone": visitor.zone}
    only, wrong = await _allowed(client, asked, given, language)
    found, chain = await asyncio.gather(
        client.get("/v1/audit/kinds", {**asked, **only}),
        client.get("/v1/audit/chain", {}),
    )
    last = chain["verifications"][:1]
    return page(
        "audit.html",
        language,
        _status(shown.wrong or wrong),
        **head_of(visitor),
        shown=shown,
        wrong=shown.wrong or wrong,
        kinds=found["items"],
        chain=chain,
        last=last[0] if last else None,
        only=_typed(given, only),
        names=await names_of(client, people_in([*last])),
        kept=urlencode({**shown.period.query, **_typed(given, only)}),
        place=PLACE,
        query=urlencode({**shown.period.query, **_typed(given, only)}),
    )


def _status(wrong: str) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK


async def _allowed(
    client: ApiClient, asked: Mapping[str, str], given: Mapping[str, str], language: str
) -> tuple[dict[str, str], str]:
    """Return the filters as the API takes them, or none and why it does not."""
    only = _only(given)
    if not only:
        return {}, ""
    try:
        await client.get("/v1/audit/kinds", {**asked, **only})
    except ApiError as error:
        if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return {}, refusal_of(language, error)
    return only, ""


def _only(given: Mapping[str, str]) -> dict[str, str]:
    actor = actor_of(given.get("actor", ""))
    incident = given.get("incident", "").strip().upper()
    found = {"actor": actor, "incident": incident}
    return {name: value for name, value in found.items() if value}


def _typed(given: Mapping[str, str], only: Mapping[str, str]) -> dict[str, str]:
    """Return the filters as they were typed, as far as they are in use."""
    return {name: given[name].strip() for name in _FILTERS if name in only}


async def _list(kind: str, request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    _require_known(kind)
    language = language_of(request)
    given = request.query_params
    shown = shown_period(request, given, visitor.zone)
    asked = _asked(shown, visitor.zone, given, language)
    wrong = shown.wrong
    try:
        found = await client.get(f"/v1/audit/kinds/{kind}", asked)
    except ApiError as error:
        if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        wrong = refusal_of(language, error)
        found = {"items": [], "next_cursor": None}
    query = {**shown.period.query, **_typed(given, _only(given)), **_order(given)}
    cursor = {"cursor": given["cursor"]} if given.get("cursor") else {}
    return page(
        "audit_kind.html",
        language,
        _status(wrong),
        **head_of(visitor),
        shown=shown,
        wrong=wrong,
        kind=kind,
        kinds=KINDS,
        items=found["items"],
        following=found["next_cursor"],
        only=_typed(given, _only(given)),
        oldest=bool(_order(given)),
        names=await names_of(client, people_in(found["items"])),
        kept=urlencode(query),
        here=urlencode({**query, **cursor}),
        place=f"{PLACE}/kinds/{kind}",
        query=urlencode(query),
    )


def _order(given: Mapping[str, str]) -> dict[str, str]:
    return {"order": "oldest"} if given.get("order") == "oldest" else {}


def _asked(
    shown: Shown, zone: str, given: Mapping[str, str], language: str
) -> dict[str, str]:
    asked = {**shown.asked, **_only(given), "zone": zone, "lang": language}
    asked["newest"] = "false" if _order(given) else "true"
    asked["limit"] = str(SHOWN_MAX)
    if cursor := given.get("cursor"):
        asked["cursor"] = cursor
    return asked


async def _rows(kind: str, request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    _require_known(kind)
    given = request.query_params
    shown = shown_period(request, given, visitor.zone)
    if shown.wrong:
        raise HttpError(422, shown.wrong)
    asked = _asked(shown, visitor.zone, given, language_of(request))
    asked |= {"limit": str(ROWS_MAX), "format": _form(given)}
    return await downloaded(client, f"/v1/audit/kinds/{kind}?{urlencode(asked)}")


ROWS_MAX = 500
"""Rows of a download; the `Link` header names the next ones."""


def _form(given: Mapping[str, str]) -> str:
    return "jsonl" if given.get("format") == "jsonl" else "csv"


async def downloaded(client: ApiClient, path: str) -> Response:
    """Return what the API offers as rows. Raises `ApiError`."""
    content, headers = await client.content(path)
    kept = {name: headers[name] for name in _DOWNLOADED if name in headers}
    return Response(content, headers=kept)


async def _entry(position: str, request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    found: Mapping[str, Any] = await client.get(
        f"/v1/audit/log/{quote(position, safe='')}", {}
    )
    return page(
        "audit_entry.html",
        language_of(request),
        **head_of(visitor),
        found=found,
        place=f"{PLACE}/log/{found['position']}",
    )
