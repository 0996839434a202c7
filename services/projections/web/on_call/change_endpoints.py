"""Changing who is on call: the form of a change, its preview, and what came of it.

Nothing is recorded before the visitor has seen which shifts would change. The preview
says so too if the change would be refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import (
    KEY,
    Action,
    Draft,
    Expired,
    action_of,
    key_header,
    new_draft,
    refused_draft,
    sent_form,
)
from services.projections.web.api_client import ApiClient, ApiError, names_of
from services.projections.web.on_call.actions import (
    ABSENCE,
    CHANGES,
    OWN,
    Place,
    adapted,
    body_for,
    path_of,
    require_people,
)
from services.projections.web.people.visitor import Visitor, visitor_of
from services.projections.web.person_field import why_of, with_people
from services.projections.web.rendering import page, refusal_of
from services.projections.web.screens import screen
from shared.domain.policy.schedules import Role
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.i18n.details import detail_text
from shared.web.language import language_of
from shared.web.rendering import as_sentence, refusal_text

router = APIRouter(include_in_schema=False)


@router.get("/on-call/{schedule}/changes/{verb}")
async def get_change(request: Request, schedule: str, verb: str) -> Response:
    """Show the form of a change; the address may fill in its fields."""
    return await screen(request, partial(_begin, schedule, _action(schedule, verb)))


@router.post("/on-call/{schedule}/changes/{verb}")
async def post_change(request: Request, schedule: str, verb: str) -> Response:
    """Show what a change would do, or record it."""
    return await screen(request, partial(_send, schedule, _action(schedule, verb)))


def _action(schedule: str, verb: str) -> Action:
    offered = (ABSENCE,) if schedule == OWN else CHANGES
    action = action_of(offered, verb)
    if action is None:
        raise HttpError(404, f"this page has no action {verb[:64]}")
    return action


@dataclass(frozen=True, slots=True)
class _Shown:
    """A step of a change: its form as it is, and what the API said about it."""

    draft: Draft
    preview: Mapping[str, Any] | None = None
    status: int = HTTPStatus.OK
    problems: Mapping[str, str] | None = None
    """What is wrong with each field."""


async def _begin(
    schedule: str, action: Action, request: Request, client: ApiClient
) -> Response:
    visitor = await visitor_of(client)
    place = await _place(schedule, visitor, client)
    fresh, given = new_draft(request), request.query_params
    values = {each.name: given.get(each.name, "")[:100] for each in action.fields}
    if action is ABSENCE and not values["person"]:
        values["person"] = visitor.person
    draft = Draft(fresh.csrf, fresh.key, "", values)
    return await _page(request, client, visitor, place, action, _Shown(draft))


async def _send(
    schedule: str, action: Action, request: Request, client: ApiClient
) -> Response:
    language = language_of(request)
    visitor = await visitor_of(client)
    place = await _place(schedule, visitor, client)
    wanted = adapted(action, place)
    show = partial(_page, request, client, visitor, place, action)
    try:
        form = await sent_form(request)
    except Expired as error:
        why = refusal_text(language, "form")
        draft = refused_draft(request, error.form, error, why)
        return await show(_Shown(draft, status=HTTPStatus.FORBIDDEN))
    if form.get("step") == "form":
        return await show(_Shown(_kept(request, form)))
    try:
        form = await with_people(client, wanted, form)
        require_people(wanted, form)
        if form.get("step") == "confirm":
            return await _confirmed(schedule, wanted, form, client)
        named = {"person": form.get("person")} if action is ABSENCE else {}
        about = named or {"schedule": schedule}
        body = {**body_for(wanted, form), **about}
        found = await client.post(
            "/v1/oncall/preview", {"verb": action.verb, "body": body}
        )
    except ApiError as error:
        if error.is_signed_out:
            raise
        why = why_of(refusal_of(language, error), error)
        draft = refused_draft(request, form, error, why)
        problems = _problems(language, error)
        return await show(_Shown(draft, status=error.status, problems=problems))
    return await show(_Shown(_kept(request, form), found))


async def _confirmed(
    schedule: str, action: Action, form: Mapping[str, str], client: ApiClient
) -> Response:
    path = path_of(action, schedule, form)
    made = await client.post(path, body_for(action, form), key_header(form, path))
    onward = urlencode({"from": made["start"][:10], "done": f"on_call_{action.verb}"})
    place = f"/on-call/{quote(schedule, safe='')}"
    return RedirectResponse(f"{place}?{onward}", HTTPStatus.SEE_OTHER)


def _kept(request: Request, form: Mapping[str, str]) -> Draft:
    """Return the form with everything that was typed, and its key."""
    fresh = new_draft(request)
    return Draft(fresh.csrf, form.get(KEY) or fresh.key, "", form)


def _problems(language: Language, error: ApiError) -> Mapping[str, str]:
    said = (detail_text(language, each) or each for each in error.messages)
    return {
        field: as_sentence(text)
        for field, text in zip(error.fields, said, strict=False)
    }


async def _place(schedule: str, visitor: Visitor, client: ApiClient) -> Place:
    """Return what the forms of a schedule offer; of all schedules, without one."""
    found = await client.get("/v1/oncall", {})
    items = {each["schedule"]: each for each in found["items"]}
    if schedule != OWN and schedule not in items:
        there = ", ".join(items) or "none"
        sentence = f"the policy has no schedule {schedule}: there are {there}"
        raise ApiError(HTTPStatus.NOT_FOUND, "unknown_schedule", sentence)
    teams = [each for each in found["teams"] if each["schedule"] == schedule]
    people = {id_ for each in teams or found["teams"] for id_ in each["members"]}
    roles: list[Role] = []
    for duty in items[schedule]["by_role"] if schedule in items else ():
        roles.append(duty["role"])
        people |= {*duty["people"], *duty["next_people"]}
    zone = items[schedule]["timezone"] if schedule in items else visitor.zone
    names = await names_of(client, people)
    return Place(schedule, zone, roles, sorted(people), names)


async def _page(
    request: Request,
    client: ApiClient,
    visitor: Visitor,
    place: Place,
    action: Action,
    shown: _Shown,
) -> Response:
    wanted, preview = adapted(action, place), shown.preview
    people = [
        person
        for each in (preview["differences"] if preview else ())
        for person in (*each["before"], *each["after"])
    ]
    named = (shown.draft.values.get(each.name) for each in wanted.fields)
    names = await names_of(client, [*people, *named])
    back = f"/on-call/{quote(place.schedule, safe='')}"
    return page(
        "on_call_change.html",
        language_of(request),
        shown.status,
        action=wanted,
        draft=shown.draft,
        problems=shown.problems or {},
        preview=preview,
        schedule="" if place.schedule == OWN else place.schedule,
        names={**place.names, **names},
        zone=place.zone,
        back=back,
        place=f"{back}/changes/{action.verb}",
        **visitor.head,
    )
