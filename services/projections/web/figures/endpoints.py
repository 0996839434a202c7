"""The page of metrics: a period beside the one before, with charts, and its rows.

Its address is `/figures`: at `/metrics` Prometheus reads the process.
"""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.api_client import ApiClient, ApiError
from services.projections.web.downloads import rows_of
from services.projections.web.figures.period import Period, WrongPeriod, period_of
from services.projections.web.figures.pictures import load_picture, pictures_of
from services.projections.web.figures.views import metrics_of
from services.projections.web.people.visitor import (
    allowed_items,
    people_screen,
    visitor_of,
)
from services.projections.web.rendering import ENDED, page, refused_text
from shared.http.problem_details import HttpError
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

PLACE = "/figures"
FILTERS = ("service", "client", "team", "priority")
BY = ("client", "service", "team", "priority", "channel", "category")


@router.get("/figures")
async def get_figures(request: Request) -> Response:
    """Show the metrics of a period."""
    return await people_screen(request, _shown)


@router.get("/figures/rows")
async def get_rows(request: Request) -> Response:
    """Download the same as a table for a spreadsheet, or as lines of JSON."""
    return await people_screen(request, _rows)


async def _shown(request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    given, language = request.query_params, language_of(request)
    today, wrong = _today(request, visitor.zone), ""
    try:
        period = period_of(given, today)
    except WrongPeriod as error:
        period, wrong = period_of({}, today), refused_text("", language, str(error))
    only, by = _only(given), _by(given)
    asked = {**only, "zone": visitor.zone}
    found, before, load, choices = await asyncio.gather(
        client.get("/v1/metrics", _asked(period, asked, by)),
        client.get("/v1/metrics", {**period.before.asked, **asked}),
        client.get("/v1/load", {}),
        _choices(client, language),
    )
    choices["team"] = sorted({each["team"] for each in load["items"]})
    return page(
        "figures.html",
        language,
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        found=found,
        figures=found["figures"],
        period=period,
        metrics=metrics_of(found["figures"], before["figures"], language),
        pictures=pictures_of(found, language),
        load=load_picture(load, language),
        only=only,
        by=by,
        dimensions=BY,
        only_by=FILTERS,
        choices=choices,
        **_links(period, only, by),
        **_lists(only),
        chosen=lambda name: urlencode({**period.query, **only, by: name}),
        wrong=wrong,
        zone=visitor.zone,
        place=PLACE,
        **visitor.head,
    )


def _lists(only: Mapping[str, str]) -> dict[str, str]:
    """Return the queries of the queues with the incidents behind numbers."""
    return {
        "broken": urlencode({"breached": "true", **only}),
        "ended": urlencode([("status", status) for status in ENDED]),
    }


def _links(period: Period, only: Mapping[str, str], by: str) -> dict[str, str]:
    """Return the queries of this page, and of those of the periods beside it."""
    kept = {**only, **({"by": by} if by else {})}
    return {
        "here": urlencode({**period.query, **kept}),
        "earlier": urlencode({**period.before.query, **kept}),
        "later": urlencode({**period.after.query, **kept}),
    }


def _today(request: Request, zone: str) -> date:
    now: datetime = request.app.state.desk.clock()
    return now.astimezone(ZoneInfo(zone)).date()


async def _rows(request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    given = request.query_params
    try:
        period = period_of(given, _today(request, visitor.zone))
    except WrongPeriod as error:
        raise HttpError(422, str(error)) from error
    asked = {**_only(given), "zone": visitor.zone}
    wanted = _asked(period, asked, _by(given))
    return await rows_of(request, client, "/v1/metrics", wanted)


def _only(given: Mapping[str, str]) -> dict[str, str]:
    """Return the properties that are chosen."""
    return {name: value for name in FILTERS if (value := given.get(name, "").strip())}


def _by(given: Mapping[str, str]) -> str:
    """Return the property to group by, empty for none."""
    by = given.get("by", "")
    return by if by in BY else ""


def _asked(period: Period, only: Mapping[str, str], by: str) -> dict[str, str]:
    asked = {**period.asked, **only, "every": period.every}
    return {**asked, "group_by": by} if by else asked


async def _choices(client: ApiClient, language: str) -> dict[str, list[str]]:
    """Return the names that are proposed for filters; others can be written."""
    services, clients = await asyncio.gather(
        _services(client, language), allowed_items(client, "/v1/clients", {})
    )
    return {"service": services, "client": [each["client"] for each in clients or ()]}


async def _services(client: ApiClient, language: str) -> list[str]:
    try:
        form: dict[str, Any] = await client.get("/v1/reports/form", {"lang": language})
    except ApiError:
        return []  # without a policy there is nothing to propose
    return [each["service"] for each in form["services"]]
