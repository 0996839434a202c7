"""The list of people, and the screen of one person with the actions on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
    Expired,
    act,
    action_of,
    body_of,
    new_draft,
    refused_draft,
    sent_form,
)
from services.projections.web.api_client import (
    ApiClient,
    ApiError,
    names_of,
    person_of,
)
from services.projections.web.people.actions import ACTIONS, CORRECT, GRANT, adapted
from services.projections.web.people.views import (
    PersonLine,
    is_in_team,
    is_over,
    lines,
)
from services.projections.web.people.visitor import (
    Visitor,
    allowed_items,
    emergency_of,
    number_in,
    people_screen,
    teams_of_policy,
    visitor_of,
    why_not,
)
from services.projections.web.rendering import page
from services.projections.web.setup import setup_for
from shared.http.problem_details import HttpError
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

SHOWN_MAX = 100
"""How many people a page of the list shows."""
WORDS_MIN = 2
WORDS_MAX = 100
_DONE = frozenset((*(each.verb for each in ACTIONS), "session_end", "token_revoke"))


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that was not accepted, to be shown again."""

    verb: str
    draft: Draft
    status: int
    detail: str


@router.get("/people")
async def get_people(request: Request) -> Response:
    """Show who may do what; search with `?q=`, or show one team."""
    return await people_screen(request, _people)


@router.get("/person/{person}")
async def get_person(request: Request, person: str) -> Response:
    """Show a person, with their rights, tokens and sessions."""
    return await people_screen(request, partial(_person, person))


@router.post("/person/{person}/actions/{verb}")
async def post_action(request: Request, person: str, verb: str) -> Response:
    """Act on the rights of a person; show them as they are then."""
    action = action_of(ACTIONS, verb)
    if action is None:
        raise HttpError(404, f"this page has no action {verb[:64]}")
    return await people_screen(request, partial(_act, person, action))


@router.post("/person/{person}/sessions/{session}/end")
async def end_session(request: Request, person: str, session: str) -> Response:
    """End a session of a person."""
    path = f"/v1/sessions/{_quoted(session)}"
    return await people_screen(request, partial(_end, person, path, "session_end"))


@router.post("/person/{person}/tokens/{token}/revoke")
async def revoke_token(request: Request, person: str, token: str) -> Response:
    """Revoke a token of a person."""
    path = f"/v1/tokens/{_quoted(token)}"
    return await people_screen(request, partial(_end, person, path, "token_revoke"))


async def _people(request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    given = request.query_params
    words, team = given.get("q", "").strip()[:WORDS_MAX], given.get("team", "")[:64]
    rights = (await client.get("/v1/rights", {}))["items"]
    known = lines(rights, await allowed_items(client, "/v1/sessions", {}))
    found = await _found(words, known, client)
    wanted = [each for each in found if not team or is_in_team(each, team)]
    first = number_in(given.get("from", ""))
    part = wanted[first : first + SHOWN_MAX]
    query = {"q": words, "team": team}
    return page(
        "people.html",
        language_of(request),
        visitor=visitor,
        **visitor.head,
        emergency=await emergency_of(client),
        setup=await setup_for(visitor.scopes, client),
        people=part,
        total=len(wanted),
        first=first,
        following=first + SHOWN_MAX if len(wanted) > first + SHOWN_MAX else None,
        names=await names_of(client, [each.person for each in part]),
        teams=await teams_of_policy(client),
        q=words,
        team=team,
        zone=visitor.zone,
        place="/people",
        query=urlencode({k: v for k, v in query.items() if v}),
    )


async def _found(
    words: str, known: Mapping[str, PersonLine], client: ApiClient
) -> Sequence[PersonLine]:
    """Return those whom the words find in the directory; without words all known."""
    if len(words) < WORDS_MIN:
        return list(known.values())
    hits = await allowed_items(client, "/v1/people", {"q": words})
    if hits is None:  # no look-ups for auditors: ids are in every event they read
        return [each for id_, each in known.items() if words.lower() in id_.lower()]
    return [known.get(each["id"], PersonLine(each["id"])) for each in hits]


async def _act(
    person: str, action: Action, request: Request, client: ApiClient
) -> Response:
    language = language_of(request)
    try:
        form = await sent_form(request)
    except Expired as error:
        why = refusal_text(language, "form")
        draft = refused_draft(request, error.form, error, why)
        refused = Refused(action.verb, draft, HTTPStatus.FORBIDDEN, "")
        return await _person(person, request, client, refused)
    teams = await teams_of_policy(client)
    try:
        if action is CORRECT:
            await _correct(person, form, client)
        else:
            await act(client, _api(person), adapted(action, teams, "UTC"), form)
    except ApiError as error:
        if error.is_signed_out:
            raise
        why, detail = why_not(language, error)
        draft = refused_draft(request, form, error, why)
        refused = Refused(action.verb, draft, error.status, detail)
        return await _person(person, request, client, refused)
    return _onward(person, action.verb)


async def _correct(person: str, form: Mapping[str, str], client: ApiClient) -> None:
    """Correct an entry: what the form leaves blank is cleared. Raises `ApiError`."""
    given = body_of(CORRECT, form)
    body = {field.name: given.get(field.name) for field in CORRECT.fields}
    await client.post(f"{_api(person)}/{CORRECT.path}", body)


async def _end(
    person: str, path: str, done: str, request: Request, client: ApiClient
) -> Response:
    language = language_of(request)
    try:
        form = await sent_form(request)
        await client.delete(path)
    except Expired as error:
        why, detail, status = refusal_text(language, "form"), "", 403
        draft = refused_draft(request, error.form, error, why)
    except ApiError as error:
        if error.is_signed_out:
            raise
        (why, detail), status = why_not(language, error), error.status
        draft = refused_draft(request, form, error, why)
    else:
        return _onward(person, done)
    return await _person(person, request, client, Refused(done, draft, status, detail))


def _onward(person: str, done: str) -> Response:
    onward = f"/person/{_quoted(person)}?{urlencode({'done': done})}"
    return RedirectResponse(onward, HTTPStatus.SEE_OTHER)


async def _person(
    person: str, request: Request, client: ApiClient, refused: Refused | None = None
) -> Response:
    visitor = await visitor_of(client)
    entry = await _entry(person, client)
    held = await _held(person, client, is_listed=entry is not None)
    if entry is None and not held["items"]:
        raise ApiError(HTTPStatus.NOT_FOUND, "unknown_person", "nobody has this id")
    now = request.app.state.desk.clock()
    rights = sorted(held["items"], key=lambda each: is_over(each, now))
    asked: dict[str, str | list[str]] = {"person": person}
    sessions = await allowed_items(client, "/v1/sessions", asked)
    teams = await teams_of_policy(client)
    given = (person_of(each["given_by"]) for each in rights)
    return page(
        "person.html",
        language_of(request),
        refused.status if refused else HTTPStatus.OK,
        visitor=visitor,
        **visitor.head,
        id=person,
        entry=entry,
        may_review=visitor.may_review,
        rights=[(each, is_over(each, now)) for each in rights],
        sessions=sessions,
        names=await names_of(client, [person, *given]),
        refused=refused,
        action=adapted(GRANT, teams, visitor.zone),
        draft=_draft(request, refused, GRANT.verb, held["version"]),
        correction=CORRECT,
        entered=_entered(request, refused, entry),
        new_contact=f"/contacts/new?person={_quoted(person)}" if entry else None,
        plain=_draft(request, None, "", held["version"]),
        teams=teams,
        offers=_offers(person, visitor),
        done=done if (done := request.query_params.get("done", "")) in _DONE else "",
        zone=visitor.zone,
        place=f"/person/{_quoted(person)}",
    )


def _draft(request: Request, refused: Refused | None, verb: str, version: int) -> Draft:
    if refused and refused.verb == verb:
        return refused.draft
    return new_draft(request, version)


def _entered(
    request: Request, refused: Refused | None, entry: Mapping[str, Any] | None
) -> Draft:
    """Return the form of the correction, as sent or with what there is."""
    draft = _draft(request, refused, CORRECT.verb, 0)
    if draft.values or entry is None:
        return draft
    values = {each.name: entry[each.name] or "" for each in CORRECT.fields}
    return replace(draft, values=values)


def _offers(person: str, visitor: Visitor) -> Mapping[str, bool]:
    """Return which forms make sense; the owner of the rights decides all the same."""
    other = visitor.person != person
    return {
        "grant": visitor.may_give and other,
        "remove": visitor.is_admin and other,
        "end": visitor.is_admin,
    }


async def _held(
    person: str, client: ApiClient, *, is_listed: bool
) -> Mapping[str, Any]:
    """Return the rights of a person; agents see none of somebody in the directory."""
    try:
        return await client.get(f"{_api(person)}/rights", {})
    except ApiError as error:
        if error.status != HTTPStatus.FORBIDDEN or not is_listed:
            raise
        return {"version": 0, "items": ()}


async def _entry(person: str, client: ApiClient) -> Mapping[str, Any] | None:
    """Return a person's entry in the directory, as far as the visitor may see it."""
    try:
        found = await client.get("/v1/people", {"id": person})
    except ApiError as error:
        if error.status in (HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY):
            return None
        raise
    return next(iter(found["items"]), None)


def _api(person: str) -> str:
    return f"/v1/people/{_quoted(person)}"


def _quoted(text: str) -> str:
    return quote(text, safe="")
