"""The screens of surveys: the list, and one survey with its results and actions."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import (
    Draft,
    Expired,
    key_header,
    new_draft,
    refused_draft,
    sent_form,
)
from services.projections.web.api_client import ApiClient, ApiError, names_of
from services.projections.web.downloads import rows_of
from services.projections.web.people.visitor import people_screen, visitor_of
from services.projections.web.rendering import page, refusal_of
from shared.http.problem_details import HttpError
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

PLACE = "/surveys"
_DAY = timedelta(days=1)
Form = Mapping[str, str]


def _published(form: Form) -> tuple[str, Mapping[str, Any]]:
    return "publish", {name: form.get(name, "") for name in ("from", "to")}


def _opened(form: Form) -> tuple[str, Mapping[str, Any]]:
    names = ("from", "owner", "due", "task")
    return "actions", {name: form.get(name, "").strip() for name in names}


def _done(form: Form) -> tuple[str, Mapping[str, Any]]:
    action, note = form.get("action", ""), form.get("note", "").strip()
    return f"actions/{quote(action or '-', safe='')}/done", {"note": note or None}


_FORMS: Mapping[str, Callable[[Form], tuple[str, Mapping[str, Any]]]] = {
    "publish_survey": _published,
    "open_survey_action": _opened,
    "complete_survey_action": _done,
}
"""The command of each form: the end of its path, and its body."""


@router.get("/surveys")
async def get_surveys(request: Request) -> Response:
    """Show the surveys of the policy."""
    return await people_screen(request, _list)


@router.get("/surveys/{survey}")
async def get_survey(request: Request, survey: str) -> Response:
    """Show the results of a survey in a month, and what follows of them."""
    return await people_screen(request, partial(_shown, survey))


@router.get("/surveys/{survey}/rows")
async def get_rows(request: Request, survey: str) -> Response:
    """Download the results of a period: the whole, and each group."""
    return await people_screen(request, partial(_rows, survey))


@router.post("/surveys/{survey}/{verb}")
async def post_form(request: Request, survey: str, verb: str) -> Response:
    """Publish results, open an action, or record that one is done."""
    if verb not in _FORMS:
        raise HttpError(404, f"this page has no action {verb[:64]}")
    return await people_screen(request, partial(_act, survey, verb))


async def _list(request: Request, client: ApiClient) -> Response:
    visitor, found = await asyncio.gather(
        visitor_of(client), client.get("/v1/surveys", {})
    )
    zone = ZoneInfo(found["zone"])
    return page(
        "surveys.html",
        language_of(request),
        surveys=found["items"],
        day=partial(_day, zone=zone),
        last_day=partial(_last_day, zone=zone),
        zone=found["zone"],
        **visitor.head,
    )


async def _rows(survey: str, request: Request, client: ApiClient) -> Response:
    path = f"/v1/surveys/{quote(survey, safe='')}/results"
    return await rows_of(request, client, path, _period(request))


def _period(request: Request) -> dict[str, str | list[str]]:
    given = request.query_params
    return {name: given[name] for name in ("from", "to") if given.get(name)}


async def _shown(
    survey: str,
    request: Request,
    client: ApiClient,
    draft: Draft | None = None,
    status: int = HTTPStatus.OK,
    refused: str = "",
) -> Response:
    given = request.query_params
    visitor, found = await asyncio.gather(
        visitor_of(client),
        client.get(f"/v1/surveys/{quote(survey, safe='')}/results", _period(request)),
    )
    zone = ZoneInfo(found["zone"])
    first, end = (_day(found[name], zone) for name in ("from", "to"))
    held = found["survey"]
    return page(
        "survey_results.html",
        language_of(request),
        status,
        found=found,
        survey=held,
        figures=found["figures"],
        first=first,
        end=end,
        last=end - _DAY,
        day=partial(_day, zone=zone),
        last_day=partial(_last_day, zone=zone),
        **_links(first, end),
        may_publish=visitor.may_give or visitor.person == held["owner"],
        me_id=visitor.person,
        names=await names_of(client, _people(found)),
        draft=draft or new_draft(request),
        refused=refused,
        done=_told(given.get("done", "")),
        zone=found["zone"],
        place=f"{PLACE}/{quote(survey, safe='')}",
        **visitor.head,
    )


def _people(found: Mapping[str, Any]) -> set[str]:
    """Return those whose names the page shows."""
    held = found["survey"]
    people = {held["owner"], *(each["owner"] for each in held["actions"])}
    return people | {each["person"] for each in found["comments"] if each["person"]}


def _links(first: date, end: date) -> dict[str, str]:
    """Return the queries of this period, and of the months beside it."""
    return {
        "here": urlencode({"from": first.isoformat(), "to": end.isoformat()}),
        "earlier": urlencode(_month(first - _DAY)),
        "later": urlencode(_month(end)),
    }


def _day(at: str, zone: ZoneInfo) -> date:
    return datetime.fromisoformat(at).astimezone(zone).date()


def _last_day(end: str, zone: ZoneInfo) -> date:
    """Return the last day before an instant at which a period or a term is over."""
    return _day(end, zone) - _DAY


def _month(day: date) -> Mapping[str, str]:
    """Return the query of the month that a day is in."""
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1)
    return {"from": first.isoformat(), "to": last.isoformat()}


def _told(done: str) -> str:
    return done if done in _FORMS else ""


async def _act(survey: str, verb: str, request: Request, client: ApiClient) -> Response:
    language = language_of(request)
    try:
        form = await sent_form(request)
    except Expired as error:
        draft = refused_draft(
            request, error.form, error, refusal_text(language, "form")
        )
        return await _shown(survey, request, client, draft, HTTPStatus.FORBIDDEN, verb)
    path, body = _FORMS[verb](form)
    place = f"{PLACE}/{quote(survey, safe='')}"
    to = f"/v1{place}/{path}"
    try:
        await client.post(to, body, key_header(form, to))
    except ApiError as error:
        if error.is_signed_out:
            raise
        draft = refused_draft(request, form, error, refusal_of(language, error))
        return await _shown(survey, request, client, draft, error.status, verb)
    shown = {name: form[name] for name in ("shown_from", "shown_to") if name in form}
    days = {name.removeprefix("shown_"): day for name, day in shown.items()}
    return RedirectResponse(
        f"{place}?{urlencode({**days, 'done': verb})}", HTTPStatus.SEE_OTHER
    )
