"""The screen of maintenance: windows now, next and over; to announce and call off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import (
    Action,
    Field,
    body_of,
    key_header,
    new_draft,
)
from services.projections.web.api_client import (
    ApiClient,
    ApiError,
    names_of,
    person_of,
)
from services.projections.web.operations.forms import Form, Refused, submitted
from services.projections.web.people.visitor import (
    Visitor,
    number_in,
    people_screen,
    visitor_of,
)
from services.projections.web.rendering import page
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

PLACE = "/maintenance"
OVER_SHOWN_MAX = 20
"""Windows on a page of those that are over."""
ANNOUNCE = Action(
    "announce",
    (
        Field("service", "choice", required=True),
        Field("start", "instant"),
        Field("end", "instant", required=True),
        Field("reason", required=True),
    ),
    versioned=False,
)
CANCEL = Action("call_off", (Field("reason"),), command="cancel", versioned=False)
_DONE = ("announce", "call_off")


@dataclass(frozen=True, slots=True)
class Calendar:
    """All windows as a page shows them: the recurring ones have no reason."""

    now: Sequence[Mapping[str, Any]]
    next: Sequence[Mapping[str, Any]]
    over: Sequence[Mapping[str, Any]]


def calendar_of(found: Mapping[str, Any], now: datetime) -> Calendar:
    """Return the windows of the API by when they are: the next first, the last first.

    What was called off is over.
    """
    windows = sorted(
        (*found["items"], *found["recurring"]), key=lambda each: _at(each, "start")
    )
    live = [
        each
        for each in windows
        if not each.get("cancelled_at") and _at(each, "until") > now
    ]
    return Calendar(
        [each for each in live if _at(each, "start") <= now],
        [each for each in live if _at(each, "start") > now],
        [each for each in windows if each not in live][::-1],
    )


def _at(window: Mapping[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(window[name])


@router.get("/maintenance")
async def get_maintenance(request: Request) -> Response:
    """Show the windows of all services, or with `?service=` of one."""
    return await people_screen(request, _shown)


@router.post("/maintenance/actions/announce")
async def post_announcement(request: Request) -> Response:
    """Announce a window."""
    return await people_screen(request, _announce)


@router.post("/maintenance/{window}/cancel")
async def post_cancellation(request: Request, window: str) -> Response:
    """Call a window off, or end it if it has begun."""
    return await people_screen(request, partial(_cancel, window))


async def _shown(
    request: Request,
    client: ApiClient,
    refused: Refused | None = None,
    window: str = "",
) -> Response:
    visitor = await visitor_of(client)
    given = request.query_params
    asked = {"service": given["service"]} if given.get("service") else {}
    answer = await client.get("/v1/maintenance", asked)
    found = calendar_of(answer, request.app.state.desk.clock())
    services = await _services(request, client)
    first = number_in(given.get("from", ""))
    last = first + OVER_SHOWN_MAX
    over = found.over[first:last]
    people = [person_of(each.get("by")) for each in (*found.now, *found.next, *over)]
    return page(
        "maintenance.html",
        language_of(request),
        refused.status if refused else HTTPStatus.OK,
        **visitor.head,
        **_form_parts(request, refused, window),
        found=found,
        over=over,
        following=last if len(found.over) > last else None,
        services=services,
        service=asked.get("service", ""),
        action=_form(services, visitor) if _may_announce(visitor) else None,
        names=await names_of(client, people),
        done=f"maintenance_{given.get('done')}" if given.get("done") in _DONE else "",
        zone=visitor.zone,
        place=PLACE,
        query=urlencode(asked),
    )


def _form_parts(
    request: Request, refused: Refused | None, window: str
) -> Mapping[str, Any]:
    """Return the form that announces, and what was refused about which window."""
    fresh = new_draft(request)
    is_announced = refused is not None and refused.verb == ANNOUNCE.verb
    return {
        "draft": refused.draft if refused and is_announced else fresh,
        "csrf": fresh.csrf,
        "window": window,
        "why": refused.draft.why if refused and window else "",
        "detail": refused.detail if refused else "",
    }


def _may_announce(visitor: Visitor) -> bool:
    return not visitor.scopes.isdisjoint({"agent", "manager"})


def _form(services: Mapping[str, str], visitor: Visitor) -> Action:
    """Return the form with the services of the policy, in the visitor's zone."""
    offered = (
        replace(
            field,
            zone=visitor.zone,
            choices=tuple(services) if field.name == "service" else field.choices,
            texts=services if field.name == "service" else field.texts,
        )
        for field in ANNOUNCE.fields
    )
    return replace(ANNOUNCE, fields=tuple(offered))


async def _services(request: Request, client: ApiClient) -> Mapping[str, str]:
    """Return the names of the services that may be announced, by id."""
    try:
        asked = {"lang": language_of(request)}
        form = await client.get("/v1/reports/form", asked)
    except ApiError:
        return {}
    return {each["service"]: each["text"] for each in form["services"]}


async def _announce(request: Request, client: ApiClient) -> Response:
    async def send(form: Form) -> Mapping[str, Any]:
        path = "/v1/maintenance"
        return await client.post(path, body_of(ANNOUNCE, form), key_header(form, path))

    found = await submitted(request, ANNOUNCE.verb, send)
    if isinstance(found, Refused):
        return await _shown(request, client, found)
    return _onward(ANNOUNCE)


async def _cancel(window: str, request: Request, client: ApiClient) -> Response:
    async def send(form: Form) -> Mapping[str, Any]:
        path = f"/v1/maintenance/{quote(window, safe='')}/{CANCEL.path}"
        return await client.post(path, body_of(CANCEL, form), key_header(form, path))

    found = await submitted(request, CANCEL.verb, send)
    if isinstance(found, Refused):
        return await _shown(request, client, found, window)
    return _onward(CANCEL)


def _onward(action: Action) -> Response:
    done = urlencode({"done": action.verb})
    return RedirectResponse(f"{PLACE}?{done}", HTTPStatus.SEE_OTHER)
