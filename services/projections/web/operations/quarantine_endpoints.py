"""The screens of the quarantine: what waits and why, one element, retry and discard."""

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
    Draft,
    Field,
    action_of,
    body_of,
    new_draft,
)
from services.projections.web.api_client import ApiClient, names_of, person_of
from services.projections.web.operations.forms import (
    Form,
    Refused,
    midnight,
    submitted,
)
from services.projections.web.people.visitor import (
    Visitor,
    people_screen,
    visitor_of,
)
from services.projections.web.rendering import page
from shared.domain.commands.quarantine import LISTED, State
from shared.http.problem_details import HttpError
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

PLACE = "/quarantine"
BODY_SHOWN_MAX = 20_000
"""Characters of a body on its screen; the API returns all of it."""
STATES: tuple[State, ...] = ("waiting", "released", "discarded", "expired")
RETRY = Action("retry", versioned=False)
DISCARD = Action("discard", (Field("reason", "words", required=True),), versioned=False)
_ACTIONS = (RETRY, DISCARD)
_FILTERS = ("source", "adapter", "reason")
_DAYS = {"since": 0, "until": 1}
"""Days in the address, the last one included."""


@router.get("/operations")
@router.get("/quarantine")
async def get_quarantine(request: Request) -> Response:
    """Show what could not be mapped, the oldest first; the address filters it.

    It is the first screen of operations.
    """
    return await people_screen(request, _list)


@router.post("/quarantine/actions/retry")
async def post_retries(request: Request) -> Response:
    """Retry what matches the filter, and show what is left."""
    return await people_screen(request, _retry_all)


@router.get("/quarantine/{element}")
async def get_element(request: Request, element: str) -> Response:
    """Show an element, with its reason, its history and its body."""
    return await people_screen(request, partial(_one, element))


@router.post("/quarantine/{element}/actions/{verb}")
async def post_action(request: Request, element: str, verb: str) -> Response:
    """Retry an element, or discard it with a reason."""
    action = action_of(_ACTIONS, verb)
    if action is None:
        raise HttpError(404, f"this page has no action {verb[:64]}")
    return await people_screen(request, partial(_act, element, action))


async def _list(
    request: Request,
    client: ApiClient,
    refused: Refused | None = None,
    tried: Mapping[str, Any] | None = None,
) -> Response:
    visitor = await visitor_of(client)
    form = refused.draft.values if refused else {}
    given = {**request.query_params, **form} if not tried else tried["given"]
    asked = {**_asked(given, visitor.zone), "limit": str(LISTED)}
    state = given.get("state", "")
    asked["state"] = state if state in STATES else STATES[0]
    if cursor := given.get("cursor", ""):
        asked["cursor"] = cursor
    found = await client.get("/v1/quarantine", asked)
    filters = {name: given[name] for name in (*_FILTERS, *_DAYS) if given.get(name)}
    kept = {**filters, "state": asked["state"]}
    following = found["next_cursor"]
    return page(
        "quarantine.html",
        language_of(request),
        refused.status if refused else HTTPStatus.OK,
        visitor=visitor,
        **visitor.head,
        items=found["items"],
        states=STATES,
        state=asked["state"],
        given=filters,
        following=following and urlencode({**kept, "cursor": following}),
        may_retry=visitor.may_command,
        draft=refused.draft if refused else new_draft(request),
        tried=tried,
        zone=visitor.zone,
        place=PLACE,
        query=urlencode(kept),
    )


def _asked(given: Mapping[str, str], zone: str) -> dict[str, str]:
    """Return the filter for the API, from an address or a form."""
    words = {name: given.get(name, "").strip() for name in _FILTERS}
    days = {n: midnight(given.get(n, ""), zone, more) for n, more in _DAYS.items()}
    return {name: value for name, value in {**words, **days}.items() if value}


async def _retry_all(request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)

    async def send(form: Form) -> Mapping[str, Any]:
        asked = _asked(form, visitor.zone)
        done = await client.post("/v1/quarantine/retry", asked)
        given = {name: form.get(name, "") for name in (*_FILTERS, *_DAYS)}
        return {**done, "given": given}

    found = await submitted(request, RETRY.verb, send)
    if isinstance(found, Refused):
        return await _list(request, client, found)
    return await _list(request, client, tried=found)


async def _one(
    element: str, request: Request, client: ApiClient, refused: Refused | None = None
) -> Response:
    visitor = await visitor_of(client)
    found = await client.get(f"/v1/quarantine/{quote(element, safe='')}", {})
    people = [person_of(each["by"]) for each in found["journal"]]
    body = found["body"] or ""
    done = request.query_params.get("done", "")
    return page(
        "quarantined.html",
        language_of(request),
        refused.status if refused else HTTPStatus.OK,
        visitor=visitor,
        **visitor.head,
        element=found,
        body=body[:BODY_SHOWN_MAX],
        is_cut=len(body) > BODY_SHOWN_MAX,
        offered=_offered(visitor, found["state"]),
        drafts={each.verb: _draft(request, refused, each) for each in _ACTIONS},
        names=await names_of(client, people),
        done=f"quarantine_{done}" if done in STATES else "",
        zone=visitor.zone,
        place=f"{PLACE}/{found['id']}",
    )


def _offered(visitor: Visitor, state: str) -> tuple[Action, ...]:
    return _ACTIONS if visitor.may_command and state == "waiting" else ()


def _draft(request: Request, refused: Refused | None, action: Action) -> Draft:
    is_refused = refused is not None and refused.verb == action.verb
    return refused.draft if refused and is_refused else new_draft(request)


async def _act(
    element: str, action: Action, request: Request, client: ApiClient
) -> Response:
    async def send(form: Form) -> Mapping[str, Any]:
        path = f"/v1/quarantine/{quote(element, safe='')}/{action.path}"
        return await client.post(path, body_of(action, form))

    found = await submitted(request, action.verb, send)
    if isinstance(found, Refused):
        return await _one(element, request, client, found)
    place = f"{PLACE}/{quote(element, safe='')}"
    done = urlencode({"done": found["state"]})
    return RedirectResponse(f"{place}?{done}", HTTPStatus.SEE_OTHER)
