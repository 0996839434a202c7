"""What was recorded: a change is withdrawn, and a swap is accepted or declined."""

import asyncio
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import (
    Draft,
    Expired,
    key_header,
    new_draft,
    sent_form,
)
from services.projections.web.api_client import ApiClient, ApiError, names_of
from services.projections.web.on_call.actions import OWN
from services.projections.web.on_call.own_endpoints import own_screen
from services.projections.web.on_call.screen import calendar_screen, changes_of
from services.projections.web.people.visitor import visitor_of
from services.projections.web.rendering import page, refusal_of
from services.projections.web.screens import screen
from shared.http.problem_details import HttpError
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

_PATHS: Mapping[str, str] = {
    "override": "overrides",
    "swap": "swaps",
    "temporary_schedule": "temporary-schedules",
}
"""The path of each kind of change, after that of its schedule."""
_ANSWERS = ("accept", "decline")


@router.post("/on-call/{schedule}/recorded/{kind}/{change}/withdraw")
async def post_withdrawal(
    request: Request, schedule: str, kind: str, change: str
) -> Response:
    """Withdraw a change: of a schedule, or an absence of the visitor."""
    return await screen(request, partial(_withdraw, schedule, kind, change))


@router.get("/on-call/{schedule}/swaps/{change}")
async def get_swap(request: Request, schedule: str, change: str) -> Response:
    """Show a swap that the visitor is asked for, and what it would change."""
    return await screen(request, partial(_swap, schedule, change))


@router.post("/on-call/{schedule}/swaps/{change}/{verb}")
async def post_answer(
    request: Request, schedule: str, change: str, verb: str
) -> Response:
    """Accept or decline a swap."""
    if verb not in _ANSWERS:
        raise HttpError(404, f"this page has no action {verb[:64]}")
    return await screen(request, partial(_answer, schedule, change, verb))


async def _withdraw(
    schedule: str, kind: str, change: str, request: Request, client: ApiClient
) -> Response:
    show = own_screen if schedule == OWN else partial(calendar_screen, schedule)
    language = language_of(request)
    try:
        form = await sent_form(request)
        path = f"{_path(schedule, kind, change)}/withdraw"
        await client.post(path, {}, key_header(form, path))
    except Expired:
        why = refusal_text(language, "form")
        return await show(request, client, why, HTTPStatus.FORBIDDEN)
    except ApiError as error:
        if error.is_signed_out:
            raise
        return await show(request, client, refusal_of(language, error), error.status)
    return _onward(schedule, "withdraw")


def _path(schedule: str, kind: str, change: str) -> str:
    """Return the path of a change. The id of an absence begins with the person's."""
    id_ = quote(change, safe="")
    if kind == "absence":
        person = quote(change.rpartition(".")[0] or "-", safe="")
        return f"/v1/people/{person}/absences/{id_}"
    if kind not in _PATHS:
        raise HttpError(404, f"there are no changes called {kind[:64]}")
    return f"/v1/oncall/{quote(schedule, safe='')}/{_PATHS[kind]}/{id_}"


def _onward(schedule: str, verb: str) -> Response:
    done = urlencode({"done": f"on_call_{verb}"})
    place = f"/on-call/{quote(schedule, safe='')}?{done}"
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


async def _swap(
    schedule: str,
    id_: str,
    request: Request,
    client: ApiClient,
    why: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    visitor, oncall = await asyncio.gather(
        visitor_of(client), client.get("/v1/oncall", {"schedule": schedule})
    )
    known = {each["id"]: each for each in await changes_of(client, schedule)}
    swap = known.get(id_)
    if swap is None or swap["kind"] != "swap":
        raise ApiError(HTTPStatus.NOT_FOUND, None, f"{schedule} has no swap {id_}")
    preview, refused = None, ""
    if swap["state"] == "requested" and visitor.person == swap["other"]:
        preview, refused = await _previewed(schedule, id_, request, client)
    shown = preview["differences"] if preview else ()
    people = {p for each in shown for p in (*each["before"], *each["after"])}
    back = f"/on-call/{quote(schedule, safe='')}"
    return page(
        "on_call_swap.html",
        language_of(request),
        status,
        schedule=schedule,
        swap=swap,
        preview=preview,
        draft=_draft(request, why or refused),
        names=await names_of(client, {*people, swap["person"], swap["other"]}),
        zone=oncall["items"][0]["timezone"],
        back=back,
        place=f"{back}/swaps/{quote(id_, safe='')}",
        **visitor.head,
    )


def _draft(request: Request, why: str) -> Draft:
    fresh = new_draft(request)
    return Draft(fresh.csrf, fresh.key, "", {}, why=why)


async def _previewed(
    schedule: str, swap: str, request: Request, client: ApiClient
) -> tuple[Mapping[str, Any] | None, str]:
    """Return what the swap would change; or None, and why it cannot be accepted."""
    asked = {"verb": "accept_swap", "body": {"schedule": schedule, "swap": swap}}
    try:
        return await client.post("/v1/oncall/preview", asked), ""
    except ApiError as error:
        if error.is_signed_out:
            raise
        return None, refusal_of(language_of(request), error)


async def _answer(
    schedule: str, swap: str, verb: str, request: Request, client: ApiClient
) -> Response:
    language = language_of(request)
    try:
        form = await sent_form(request)
        path = f"{_path(schedule, 'swap', swap)}/{verb}"
        await client.post(path, {}, key_header(form, path))
    except Expired:
        why = refusal_text(language, "form")
        return await _swap(schedule, swap, request, client, why, HTTPStatus.FORBIDDEN)
    except ApiError as error:
        if error.is_signed_out:
            raise
        why = refusal_of(language, error)
        return await _swap(schedule, swap, request, client, why, error.status)
    return _onward(schedule, verb)
