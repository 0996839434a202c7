"""Who is on call: now in all schedules, and in the calendar of one."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import (
    Expired,
    key_header,
    new_draft,
    sent_form,
)
from services.projections.web.api_client import ApiClient, ApiError, names_of
from services.projections.web.on_call.screen import calendar_screen, done_in
from services.projections.web.on_call.views import Warnings, warnings
from services.projections.web.people.visitor import Visitor, visitor_of
from services.projections.web.rendering import page, refusal_of, with_local_instants
from services.projections.web.screens import screen
from shared.i18n.catalog import Language
from shared.i18n.details import detail_text
from shared.web.language import language_of
from shared.web.rendering import as_sentence, refusal_text

router = APIRouter(include_in_schema=False)

REF_MAX = 32
HIGHER = ("n2", "n3")
"""The levels to which incidents are escalated."""
_EMPTY: Mapping[str, str] = {}


@router.get("/on-call")
async def get_on_call(request: Request) -> Response:
    """Show who is on call now in each schedule, and who is next."""
    return await screen(request, _now)


@router.post("/on-call")
async def post_page(request: Request) -> Response:
    """Page the person on call for an incident: it is escalated to their team."""
    return await screen(request, _page)


@router.post("/on-call/{schedule}/page-tests")
async def post_page_test(request: Request, schedule: str) -> Response:
    """Test the pages of everybody who is on call in a schedule now."""
    return await screen(request, partial(_test, schedule))


@router.get("/on-call/{schedule}")
async def get_calendar(request: Request, schedule: str) -> Response:
    """Show the shifts and gaps of a schedule: `?from=2026-11-23&weeks=4`."""
    return await screen(request, partial(calendar_screen, schedule))


async def _page(request: Request, client: ApiClient) -> Response:
    language, form = language_of(request), _EMPTY
    try:
        form = await sent_form(request)
        ref = form.get("incident", "").strip().upper()[:REF_MAX]
        body = {"team": form.get("team", ""), "reason": form.get("reason", "")}
        path = f"/v1/incidents/{quote(ref, safe='')}/escalate"
        await client.post(path, body, key_header(form, path))
    except Expired:
        why = refusal_text(language, "form")
        return await _now(request, client, form, why, HTTPStatus.FORBIDDEN)
    except ApiError as error:
        if error.is_signed_out:
            raise
        why = refusal_of(language, error)
        return await _now(request, client, form, why, error.status)
    return RedirectResponse(f"/incidents/{quote(ref, safe='')}", HTTPStatus.SEE_OTHER)


async def _test(schedule: str, request: Request, client: ApiClient) -> Response:
    language = language_of(request)
    try:
        form = await sent_form(request)
        key = key_header(form, request.url.path)
        tested = await client.post("/v1/oncall/page-tests", {"schedule": schedule}, key)
    except Expired:
        why = refusal_text(language, "form")
        return await _now(request, client, why_no_test=why, status=HTTPStatus.FORBIDDEN)
    except ApiError as error:
        if error.is_signed_out:
            raise
        why = refusal_of(language, error)
        return await _now(request, client, why_no_test=why, status=error.status)
    if tested["refused"]:  # the others are tested
        why = " ".join(_why_not_tested(language, each) for each in tested["refused"])
        return await _now(request, client, why_no_test=why)
    return RedirectResponse("/on-call?done=on_call_page_test", HTTPStatus.SEE_OTHER)


def _why_not_tested(language: Language, refused: Mapping[str, str]) -> str:
    detail = refused["detail"]
    return as_sentence(detail_text(language, detail) or detail)


async def _now(
    request: Request,
    client: ApiClient,
    form: Mapping[str, str] = _EMPTY,
    why: str = "",
    status: int = HTTPStatus.OK,
    why_no_test: str = "",
) -> Response:
    visitor, found, readiness = await asyncio.gather(
        visitor_of(client),
        client.get("/v1/oncall", {}),
        client.get("/v1/oncall/readiness", {}),
    )
    to_mend = _to_mend(readiness, found, visitor)
    duties = [role for each in found["items"] for role in each["by_role"]]
    people = [
        person for each in duties for person in (*each["people"], *each["next_people"])
    ]
    people += [one["person"] for each in to_mend for one in each.people]
    language = language_of(request)
    return page(
        "on_call.html",
        language,
        status,
        draft=new_draft(request),
        form=form,
        why=why,
        why_no_test=with_local_instants(why_no_test, language, visitor.zone),
        done=done_in(request),
        last_tests=_last_tests(readiness),
        may_command=visitor.may_command,
        schedules=found["items"],
        to_mend=to_mend,
        sees_all=visitor.may_review,
        **_of_teams(found["teams"], visitor),
        names=await names_of(client, people),
        zone=visitor.zone,
        place="/on-call",
        **visitor.head,
    )


def _of_teams(
    teams: Sequence[Mapping[str, Any]], visitor: Visitor
) -> Mapping[str, object]:
    return {
        "pageable": [each["team"] for each in teams if _is_pageable(each)],
        "testable": _testable(teams, visitor),
        "teams": _teams_by_schedule(teams),
        "without": [each["team"] for each in teams if each["schedule"] is None],
    }


def _to_mend(
    readiness: Mapping[str, Any], oncall: Mapping[str, Any], visitor: Visitor
) -> Sequence[Warnings]:
    """Return the warnings that a visitor sees: reviewers all, others their own."""
    me = visitor.person
    own = {each["schedule"] for each in oncall["teams"] if me in each["members"]}
    zones = {each["schedule"]: each["timezone"] for each in oncall["items"]}
    return warnings(readiness, me, None if visitor.may_review else own, zones)


def _testable(teams: Sequence[Mapping[str, Any]], visitor: Visitor) -> Collection[str]:
    """Return the schedules whose people the visitor may test, as far as one can say.

    Roles may be limited to teams: the API decides.
    """
    return {
        each["schedule"]
        for each in teams
        if each["schedule"] and (visitor.may_give or each["manager"] == visitor.person)
    }


def _last_tests(readiness: Mapping[str, Any]) -> Mapping[str, str | None]:
    """Return when a test last reached each person who is on call in the next days."""
    return {
        one["person"]: one["last_test_reached_at"]
        for each in readiness["items"]
        for one in each["people"]
    }


def _is_pageable(team: Mapping[str, Any]) -> bool:
    """Return whether an incident can be escalated to a team with people on call."""
    return team["schedule"] is not None and team["level"] in HIGHER


def _teams_by_schedule(teams: Sequence[Mapping[str, Any]]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in teams:
        found.setdefault(each["schedule"], []).append(each["team"])
    return found
