"""The screens of parked events: what readers could not apply, to retry or to skip."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import Action, Field, act, action_of, new_draft
from services.projections.web.api_client import ApiClient, names_of, person_of
from services.projections.web.operations.forms import Form, Refused, submitted
from services.projections.web.people.visitor import people_screen, visitor_of
from services.projections.web.rendering import page
from shared.domain.commands.parked_event import SERVICES
from shared.http.problem_details import HttpError
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

PLACE = "/parked"
SHOWN_MAX = 50
READERS = ("queue", "timeline", "metrics", "words", *SERVICES)
LISTS: Mapping[str, str] = {"parked": "/v1/parked", "skipped": "/v1/parked/skipped"}
"""The lists of the API, by the state in which their events are."""
RETRY = Action("retry", versioned=False)
SKIP = Action(
    "skip_event",
    (Field("reason", "words", required=True),),
    command="skip",
    versioned=False,
)
_ACTIONS = (RETRY, SKIP)
_DONE = ("applied", "skipped", "still_parked", "nothing_parked", "waiting")


@router.get("/parked")
async def get_parked(request: Request) -> Response:
    """Show what readers have parked in the order of the log, or what was skipped."""
    return await people_screen(request, _list)


@router.get("/parked/{reader}/{stream}")
async def get_stream(request: Request, reader: str, stream: str) -> Response:
    """Show the parked events of a stream, and what was requested about it."""
    return await people_screen(request, partial(_one, reader, stream))


@router.post("/parked/{reader}/{stream}/actions/{verb}")
async def post_action(
    request: Request, reader: str, stream: str, verb: str
) -> Response:
    """Have the reader retry a stream, or skip its first event."""
    action = action_of(_ACTIONS, verb)
    if action is None:
        raise HttpError(404, f"this page has no action {verb[:64]}")
    return await people_screen(request, partial(_act, reader, stream, action))


async def _list(request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    given = request.query_params
    state = given.get("state", "")
    state = state if state in LISTS else "parked"
    reader = given.get("reader", "")
    kept = {"state": state} | ({"reader": reader} if reader in READERS else {})
    asked = {name: value for name, value in kept.items() if name != "state"}
    asked["limit"] = str(SHOWN_MAX)
    if cursor := given.get("cursor", ""):
        asked["cursor"] = cursor
    found = await client.get(LISTS[state], asked)
    items, following = found["items"], found["next_cursor"]
    people = [person_of(each.get("skipped_by")) for each in items]
    return page(
        "parked.html",
        language_of(request),
        **visitor.head,
        items=items,
        state=state,
        states=tuple(LISTS),
        reader=kept.get("reader", ""),
        readers=READERS,
        following=following and urlencode({**kept, "cursor": following}),
        names=await names_of(client, people),
        zone=visitor.zone,
        place=PLACE,
        query=urlencode(kept),
    )


async def _one(
    reader: str,
    stream: str,
    request: Request,
    client: ApiClient,
    refused: Refused | None = None,
) -> Response:
    visitor = await visitor_of(client)
    found = await client.get(_path("/v1/parked", reader, stream), {})
    people = [person_of(each["by"]) for each in found["requests"]]
    done = request.query_params.get("done", "")
    drafts = {
        each.verb: refused.draft
        if refused and refused.verb == each.verb
        else new_draft(request)
        for each in _ACTIONS
    }
    return page(
        "parked_stream.html",
        language_of(request),
        refused.status if refused else HTTPStatus.OK,
        **visitor.head,
        found=found,
        service=SERVICES.get(reader, "projections"),
        offered=_ACTIONS if visitor.is_admin and found["parked"] else (),
        drafts=drafts,
        names=await names_of(client, people),
        done=f"parked_{done}" if done in _DONE else "",
        zone=visitor.zone,
        place=_path(PLACE, reader, stream),
    )


async def _act(
    reader: str, stream: str, action: Action, request: Request, client: ApiClient
) -> Response:
    async def send(form: Form) -> Mapping[str, Any]:
        path = _path("/v1/parked", reader, stream)
        if action is SKIP:
            # The event that the visitor saw: another one may be the first by now.
            seen = (("position", form.get("position", "")),)
            return await act(client, path, replace(action, fixed=seen), form)
        return await act(client, path, action, form)

    found = await submitted(request, action.verb, send)
    if isinstance(found, Refused):
        return await _one(reader, stream, request, client, found)
    done = urlencode({"done": found["outcome"]})
    place = _path(PLACE, reader, stream)
    return RedirectResponse(f"{place}?{done}", HTTPStatus.SEE_OTHER)


def _path(place: str, reader: str, stream: str) -> str:
    return f"{place}/{quote(reader, safe='')}/{quote(stream, safe='')}"
