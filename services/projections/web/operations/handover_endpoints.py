"""The inbox of Problem Management: what was handed over, to accept, join or decline."""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import Action, Field, act, action_of, new_draft
from services.projections.web.api_client import ApiClient
from services.projections.web.operations.forms import Form, Refused, submitted
from services.projections.web.people.visitor import people_screen, visitor_of
from services.projections.web.rendering import page
from shared.http.problem_details import HttpError
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

PLACE = "/handovers"
SHOWN_MAX = 20
KINDS = {"incident": "/v1/handovers", "service": "/v1/service-handovers"}
"""The lists of the API: incidents that broke their TTR, and services over budget."""
STATES = ("waiting", "all")
ACTIONS = (
    Action("accept", (Field("title"),), versioned=False),
    Action("join", (Field("problem", "reference", required=True),), versioned=False),
    Action("decline", (Field("reason", required=True),), versioned=False),
)
_DONE = frozenset(f"handover_{each.verb}" for each in ACTIONS)


@router.get("/handovers")
async def get_handovers(request: Request) -> Response:
    """Show what Problem Management has not answered; `?state=all` shows all."""
    return await people_screen(request, _shown)


@router.post("/handovers/{ref}/actions/{verb}")
async def post_answer(request: Request, ref: str, verb: str) -> Response:
    """Answer a hand-over."""
    action = action_of(ACTIONS, verb)
    if action is None:
        raise HttpError(404, f"this page has no action {verb[:64]}")
    return await people_screen(request, partial(_answer, ref, action))


async def _shown(
    request: Request, client: ApiClient, refused: Refused | None = None, ref: str = ""
) -> Response:
    visitor = await visitor_of(client)
    values = refused.draft.values if refused else {}
    given = {**request.query_params, **values}
    kind, state = _one_of(given, "kind", KINDS), _one_of(given, "state", STATES)
    asked = {"state": state, "limit": str(SHOWN_MAX)}
    if given.get("cursor"):
        asked["cursor"] = given["cursor"]
    found = await client.get(KINDS[kind], asked)
    kept = {"kind": kind, "state": state}
    following = found["next_cursor"]
    return page(
        "handovers.html",
        language_of(request),
        refused.status if refused else HTTPStatus.OK,
        **visitor.head,
        items=found["items"],
        kind=kind,
        state=state,
        kinds=tuple(KINDS),
        states=STATES,
        following=following and urlencode({**kept, "cursor": following}),
        actions_of_inbox=ACTIONS,
        answers=found["actions"],
        draft=new_draft(request),
        refused=refused,
        refused_ref=ref,
        done=done if (done := given.get("done", "")) in _DONE else "",
        zone=visitor.zone,
        place=PLACE,
        query=urlencode(kept),
    )


def _one_of(
    given: Mapping[str, str], name: str, allowed: Mapping[str, str] | tuple[str, ...]
) -> str:
    """Return what the address asks for; the first if it is not one of those."""
    wanted = given.get(name, "")
    return wanted if wanted in allowed else next(iter(allowed))


async def _answer(
    ref: str, action: Action, request: Request, client: ApiClient
) -> Response:
    kept: dict[str, str] = {}

    async def send(form: Form) -> Mapping[str, Any]:
        kept["kind"] = _one_of(form, "kind", KINDS)
        kept["state"] = _one_of(form, "state", STATES)
        path = f"{KINDS[kept['kind']]}/{quote(ref, safe='')}"
        return await act(client, path, action, form)

    found = await submitted(request, action.verb, send)
    if isinstance(found, Refused):
        return await _shown(request, client, found, ref)
    done = urlencode({**kept, "done": f"handover_{action.verb}"})
    return RedirectResponse(f"{PLACE}?{done}", HTTPStatus.SEE_OTHER)
