"""The screens of queues: one queue, acting from its rows, saved views, and the load."""

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
    Action,
    Expired,
    act,
    action_of,
    sent_fields,
    sent_form,
)
from services.projections.web.api_client import ApiClient, ApiError, owner_of
from services.projections.web.downloads import rows_of
from services.projections.web.feed import of_all
from services.projections.web.incident.actions import sent_by
from services.projections.web.queue.bulk_actions import ROW_ACTIONS
from services.projections.web.queue.chips import VIEW, Given, expression, with_view
from services.projections.web.queue.screen import (
    Note,
    given_in,
    queue_screen,
    rows_place,
    view_of,
)
from services.projections.web.rendering import page, refusal_of
from services.projections.web.screens import screen
from shared.domain.identifiers import is_incident_ref
from shared.http.problem_details import HttpError
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

VIEW_FIELDS_MAX = 60
ROWS_MAX = "500"
"""How many rows a download asks for at once: the most that the API allows."""


@router.get("/")
async def get_queue(request: Request) -> Response:
    """Show a queue, and the counts of the others."""
    return await screen(request, _queue)


@router.get("/load")
async def get_load(request: Request) -> Response:
    """Show the load of each team."""
    return await screen(request, _load)


@router.get("/queue/rows")
async def get_queue_rows(request: Request) -> Response:
    """Download the incidents of a queue, all pages of it."""
    return await screen(request, _queue_rows)


@router.get("/load/rows")
async def get_load_rows(request: Request) -> Response:
    """Download the load of each team."""
    return await screen(request, _load_rows)


@router.post("/queue/actions/{verb}")
async def post_row_action(request: Request, verb: str) -> Response:
    """Act on an incident from its row; show the queue as it is then."""
    action = action_of(ROW_ACTIONS, verb)
    if action is None:
        raise HttpError(404, f"rows have no action {verb[:64]}")
    return await screen(request, partial(_act, action))


@router.post("/queue/views")
async def post_view(request: Request) -> Response:
    """Save, change or delete a view; show the queue under it."""
    return await screen(request, _save_view)


async def _queue(request: Request, client: ApiClient) -> Response:
    return await queue_screen(request, client, request.query_params.multi_items())


async def _queue_rows(request: Request, client: ApiClient) -> Response:
    given = request.query_params.multi_items()
    asked = with_view(given, await view_of(client, given))
    path, wanted = rows_place([pair for pair in asked if pair[0] != "cursor"])
    return await rows_of(request, client, path, {**wanted, "limit": ROWS_MAX})


async def _load_rows(request: Request, client: ApiClient) -> Response:
    return await rows_of(request, client, "/v1/load", {})


async def _act(action: Action, request: Request, client: ApiClient) -> Response:
    try:
        form = await sent_form(request)
    except Expired as error:
        return await _refused(request, client, error.form, error)
    ref = form.get("ref", "")
    if not is_incident_ref(ref):
        raise HttpError(422, "the form names no incident")
    try:
        sent = await sent_by(client, action)
        answer = await act(client, f"/v1/incidents/{ref}", sent, form)
    except ApiError as error:
        return await _refused(request, client, form, error)
    told = [("done", form.get("told") or action.verb)]
    if answer["positions"]:
        told.append(("min_position", str(answer["positions"][-1])))
    return _to_queue(given_in(form.get("back", "")), told)


async def _save_view(request: Request, client: ApiClient) -> Response:
    try:
        fields = await sent_fields(request, VIEW_FIELDS_MAX)
    except Expired as error:
        return await _refused(request, client, error.form, error)
    form = dict(fields)
    given = given_in(form.get("back", ""))
    headers = {"If-Match": f'"{form["version"]}"'} if form.get("version") else {}
    place = f"/v1/views/{quote(form.get(VIEW, ''), safe='')}"
    rest = [(name, value) for name, value in given if name != VIEW]
    try:
        if form.get("step") == "delete":
            await client.delete(place, headers)
            return _to_queue([], [("done", "view_deleted")])
        open_view = (
            await client.get(place, {}) if form.get(VIEW) and given != rest else None
        )
        body = _view_body(form, with_view(given, open_view))
        body["columns"] = [v for name, v in fields if name == "columns"] or None
        body = {name: value for name, value in body.items() if value is not None}
        if form.get("step") == "change":
            saved = await client.put(place, body, headers)
        else:
            saved = await client.post("/v1/views", body)
    except ApiError as error:
        return await _refused(request, client, form, error)
    return _to_queue([(VIEW, saved["id"])], [("done", "view_saved")])


def _view_body(form: Mapping[str, str], given: Given) -> dict[str, Any]:
    """Return the body of the view that shows what a queue with these filters shows."""
    audience, _, team = form.get("audience", "private").partition(":")
    single = dict(given)
    return {
        "name": form.get("name", ""),
        "audience": audience,
        "team": team or None,
        "queue": single.get("queue") or "all",
        "filter": expression(given),
        "sort": single.get("order") or None,
    }


async def _refused(
    request: Request,
    client: ApiClient,
    form: Mapping[str, str],
    error: ApiError | Expired,
) -> Response:
    """Return the queue with what is wrong with a form."""
    language = language_of(request)
    match error:
        case Expired():
            why, status = refusal_text(language, "form"), int(HTTPStatus.FORBIDDEN)
        case ApiError(is_signed_out=True):
            raise error
        case ApiError():
            why, status = refusal_of(language, error), error.status
    note = Note(why, status, form)
    return await queue_screen(request, client, given_in(form.get("back", "")), note)


def _to_queue(given: Given, told: Given) -> Response:
    return RedirectResponse(f"/?{urlencode([*given, *told])}", HTTPStatus.SEE_OTHER)


async def _load(request: Request, client: ApiClient) -> Response:
    given = request.query_params
    reached = {k: given[k] for k in ("min_position",) if given.get(k)}
    me, found = await asyncio.gather(
        client.get("/v1/me", {}), client.get("/v1/load", reached)
    )
    return page(
        "load.html",
        language_of(request),
        loads=found["items"],
        may_command=me["may_command"],
        zone=me["zone"],
        **owner_of(me),
        feed=of_all(found["as_of"]["position"]),
    )
