"""The screen of one incident, the actions on it, and who else has it open."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import (
    Action,
    Expired,
    act,
    action_of,
    new_draft,
    refused_draft,
    sent_form,
)
from services.projections.web.api_client import (
    ApiClient,
    ApiError,
    names_of,
    owner_of,
    person_of,
)
from services.projections.web.feed import linked, of_records
from services.projections.web.incident.actions import (
    ACTIONS,
    BESIDE,
    Choices,
    acknowledging,
    sent_by,
    visitor_id,
)
from services.projections.web.incident.files import DONE as FILES_ATTACHED
from services.projections.web.incident.promise_picture import promise_pictures
from services.projections.web.incident.views import (
    MESSAGES_SHOWN,
    RECIPIENTS_SHOWN,
    SHOWN,
    Changes,
    Line,
    Refused,
    by_cause,
    by_promise,
    by_repetition,
    changes_since,
    first_recipients,
    folded,
    meanwhile,
    not_now,
    offered_forms,
    proposed_references,
    shown_at_once,
    shown_of,
)
from services.projections.web.person_field import why_of, with_people
from services.projections.web.rendering import (
    kept_query,
    page,
    record_place,
    refusal_of,
)
from services.projections.web.screens import screen
from shared.domain.identifiers import is_incident_ref
from shared.domain.incident import AT_WORK
from shared.domain.policy.contracts import UNKNOWN
from shared.http.problem_details import HttpError
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

_NUMBER = re.compile("[0-9]{1,15}")
PRESENT_MAX = 3
"""How many people are named: the line must not grow."""

_VERSION_MAX = 12
SOLUTIONS_MAX = 5
"""How many solution notes are shown with an incident."""

_TIMELINE = {"order": "newest", "messages": "newest", "names": "true"}
"""The parameters with which the page reads a timeline."""
_PEOPLE = ("assignee", "accepted_by", "reporter")
_OWN = ("all", "mine", "unassigned")
"""Queues that are not those of a team."""
_DONE = frozenset((*(action.verb for action in ACTIONS), FILES_ATTACHED))
"""What a page may say is done."""


@router.get("/incidents/{ref}")
async def get_incident(request: Request, ref: str) -> Response:
    """Show an incident and its timeline; what is of another kind has its own page."""
    place = record_place(ref)
    if place is not None and not is_incident_ref(ref):
        return RedirectResponse(place, HTTPStatus.SEE_OTHER)
    return await screen(request, partial(_incident, ref))


@router.post("/incidents/{ref}/actions/{verb}")
async def post_action(request: Request, ref: str, verb: str) -> Response:
    """Act on the incident; show it as it is then, or the form with what is wrong."""
    action = action_of(ACTIONS, verb)
    if action is None:
        raise HttpError(404, f"this page has no action {verb[:64]}")
    return await screen(request, partial(_act, ref, action))


async def _act(
    ref: str, action: Action, request: Request, client: ApiClient
) -> Response:
    language = language_of(request)
    try:
        form = await sent_form(request)
    except Expired as error:
        why = refusal_text(language, "form")
        draft = refused_draft(request, error.form, error, why)
        return await _incident(ref, request, client, Refused(action, draft, 403))
    try:
        form = await with_people(client, action, form)
        sent = await sent_by(client, action)
        answer = await act(client, _place(ref), sent, form)
    except ApiError as error:
        if error.is_signed_out:
            raise
        why = why_of(refusal_of(language, error), error)
        draft = refused_draft(request, form, error, why, action)
        return await _incident(
            ref, request, client, Refused(action, draft, error.status)
        )
    told = {"done": action.verb}
    if answer["positions"]:
        told["min_position"] = str(answer["positions"][-1])
    back = kept_query(parse_qsl(form.get("back", "")))
    if back:
        told["back"] = back
    to = await _next(ref, back, client) if form.get("next") else ref
    if to != ref:
        told["done_to"] = ref
    onward = f"/incidents/{to}?{urlencode(told)}"
    if to != ref and "hx-request" in request.headers:
        # Another page, with an address of its own: not to be put into this one.
        return Response(status_code=HTTPStatus.OK, headers={"HX-Redirect": onward})
    return RedirectResponse(onward, HTTPStatus.SEE_OTHER)


def _place(ref: str) -> str:
    return f"/v1/incidents/{quote(ref, safe='')}"


async def _next(ref: str, back: str, client: ApiClient) -> str:
    """Return the first incident of the queue one came from that has to be worked on.

    It is `ref` itself without another one.
    """
    given = parse_qsl(back)
    name = dict(given).get("queue", "all")
    asked: dict[str, str | list[str]] = {
        k: [v for each, v in given if each == k] for k, _ in given if k != "queue"
    }
    path = f"/v1/queues/{quote(name, safe='')}/incidents"
    try:
        found = await client.get(path, {**asked, "limit": "2"})
    except ApiError:
        return ref
    others = [each["ref"] for each in found["items"] if each["ref"] != ref]
    return others[0] if others else ref


async def _solutions(
    incident: Mapping[str, Any], client: ApiClient
) -> Sequence[Mapping[str, Any]]:
    """Return solution notes on the service of an open incident.

    None are returned while they cannot be counted: the incident is shown without them.
    """
    if incident["status"] not in AT_WORK or incident["service"] == UNKNOWN:
        return ()
    asked = {"service": incident["service"], "limit": str(SOLUTIONS_MAX)}
    try:
        found = await client.get("/v1/solutions", asked)
    except ApiError:
        return ()
    notes: Sequence[Mapping[str, Any]] = found["items"]
    return notes


async def _templates(
    place: str, language: str, incident: Mapping[str, Any], client: ApiClient
) -> Sequence[Mapping[str, Any]]:
    """Return the texts that may be sent; none where nobody can be informed."""
    if "inform" not in incident["actions"]:
        return ()
    found = await client.get(f"{place}/answer-templates", {"lang": language})
    items: Sequence[Mapping[str, Any]] = found["items"]
    return items


async def _recipients(
    place: str, incident: Mapping[str, Any], client: ApiClient
) -> Sequence[Mapping[str, Any]] | None:
    """Return whom a message to users goes to; None where nobody can say."""
    if "inform" not in incident["actions"]:
        return None
    try:
        found = await client.get(f"{place}/recipients", {})
    except ApiError:
        return None
    items: Sequence[Mapping[str, Any]] = found["items"]
    return items


async def _candidates(
    place: str, incident: Mapping[str, Any], client: ApiClient
) -> Sequence[Mapping[str, Any]]:
    """Return incidents that may report the same, if it can be merged or linked."""
    if {"merge", "link"}.isdisjoint(incident["actions"]):
        return ()
    try:
        found = await client.get(f"{place}/candidates", {"status": "all"})
    except ApiError:  # the queue is behind: the form is there without proposals
        return ()
    items: Sequence[Mapping[str, Any]] = found["items"]
    return items


async def _choices(language: str, client: ApiClient) -> Choices:
    """Return the teams and the destinations of the policy."""
    queues, destinations = await asyncio.gather(
        client.get("/v1/queues", {}), client.get("/v1/destinations", {"lang": language})
    )
    return Choices(
        [each["queue"] for each in queues["items"] if each["queue"] not in _OWN],
        {each["destination"]: each["name"] for each in destinations["items"]},
    )


async def read(
    client: ApiClient,
    place: str,
    given: Mapping[str, str],
    told: Mapping[str, str],
    refused: Refused | None = None,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the incident, its timeline and its promises, as of one's own write.

    After a conflict the timeline has what happened meanwhile, unless it is far behind.
    """
    reached = {k: given[k] for k in ("min_position",) if given.get(k)}
    if refused is not None and refused.draft.conflict:
        with suppress(ApiError):
            return await _parts_as_of_now(client, place, reached, told)
    try:
        return await _parts(client, place, reached, told)
    except ApiError as error:
        if error.code != "unknown_incident":
            raise
    # The timeline may not have come yet to an incident that was opened just now.
    return await _parts_as_of_now(client, place, reached, told)


async def _parts_as_of_now(
    client: ApiClient, place: str, reached: Mapping[str, str], told: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    incident = await client.get(place, reached)
    now = {"min_position": str(incident["as_of"]["position"])}
    return await _parts(client, place, now, told)


async def _parts(
    client: ApiClient, place: str, reached: Mapping[str, str], told: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    return await asyncio.gather(
        client.get(place, reached),
        client.get(f"{place}/timeline", {**reached, **told}),
        client.get(f"{place}/sla/intervals", reached),
    )


async def _proposals(
    place: str, language: str, incident: Mapping[str, Any], client: ApiClient
) -> Mapping[str, Any]:
    """Return what the forms propose: notes, texts and incidents; and who is told."""
    solutions, templates, candidates, recipients = await asyncio.gather(
        _solutions(incident, client),
        _templates(place, language, incident, client),
        _candidates(place, incident, client),
        _recipients(place, incident, client),
    )
    return {
        "recipients": None if recipients is None else first_recipients(recipients),
        "more_recipients": max(0, len(recipients or ()) - RECIPIENTS_SHOWN),
        "solutions": solutions,
        "templates": templates,
        "candidates": candidates,
        "proposed": proposed_references(candidates, solutions),
    }


async def _incident(
    ref: str, request: Request, client: ApiClient, refused: Refused | None = None
) -> Response:
    given, place, language = request.query_params, _place(ref), language_of(request)
    me, choices = await asyncio.gather(
        client.get("/v1/me", {}), _choices(language, client)
    )
    choices = replace(choices, me=visitor_id(me))
    told = _told(given, language, me["zone"])
    back = kept_query(parse_qsl(given.get("back", "")))
    incident, timeline, promises = await read(client, place, given, told, refused)
    kept = {**_part(given), **({"back": back} if back else {})}
    offers = offered_forms(request, incident, choices, me["zone"], refused)
    pictures = promise_pictures(promises, incident["cycle"], language, me["zone"])
    drawn = {picture.target for picture in pictures}
    under = by_promise(timeline["items"], drawn, told["show"])
    messages = by_cause(timeline["items"], told["show"])
    repeated = by_repetition(timeline["items"], told["show"])
    rest = _not_elsewhere(timeline["items"], under, messages, repeated)
    lines = folded(rest, told["show"], {*messages, *repeated})
    quick = [action.verb for action in BESIDE]
    forms = [each for each in offers if each.action.verb not in quick]
    return page(
        "incident.html",
        language,
        refused.status if refused else HTTPStatus.OK,
        actions=[form.action for form in forms],
        forms=forms,
        not_now=not_now(incident, forms),
        beside={each.action.verb: each for each in offers if each not in forms},
        files_draft=new_draft(request),
        **_done(given, incident, me["actor"]),
        meanwhile=meanwhile(timeline["items"], refused.seen) if refused else (),
        changes=_changes(given, timeline, incident, me["actor"]),
        incident=incident,
        acknowledging=acknowledging,
        left_of=_left(promises, incident["cycle"]),
        pictures=pictures,
        promise_lines=under,
        messages=messages,
        messages_shown=MESSAGES_SHOWN,
        repeated=repeated,
        **await _proposals(place, language, incident, client),
        timeline=timeline,
        lines=lines,
        lines_shown=shown_at_once(lines),
        shown=told["show"],
        filters_of_timeline=SHOWN,
        names=await names_of(client, _people(incident)),
        **owner_of(me),
        may_attach=bool(incident["actions"]),
        **{name: me[name] for name in ("may_command", "zone")},
        back=back,
        query=urlencode(kept),
        feed=of_records(timeline["as_of"]["position"], linked(incident)),
    )


def _not_elsewhere(
    lines: Sequence[Line], *elsewhere: Mapping[Any, Sequence[Line]]
) -> Sequence[Line]:
    """Return the lines that do not stand elsewhere."""
    under = chain.from_iterable(each.values() for each in elsewhere)
    gone = {line["position"] for lines in under for line in lines}
    return [line for line in lines if line["position"] not in gone]


def _left(answer: Mapping[str, Any], cycle: int) -> Mapping[str, Any]:
    """Return the seconds that each promise of a cycle leaves, by target."""
    promises = (each["promise"] for each in answer["items"])
    return {e["target"]: e["left_seconds"] for e in promises if e["cycle"] == cycle}


def _told(given: Mapping[str, str], language: str, zone: str) -> dict[str, str]:
    """Return the parameters with which the page reads its part of the timeline."""
    shown = {"show": shown_of(given.get("show", "all"))}
    return {**_part(given), **_TIMELINE, **shown, "lang": language, "zone": zone}


def _part(given: Mapping[str, str]) -> dict[str, str]:
    return {k: given[k] for k in ("before",) if given.get(k)}


def _done(
    given: Mapping[str, str], incident: Mapping[str, Any], actor: str
) -> Mapping[str, str]:
    """Return what the page says is done, and to which incident, if to another one."""
    done, ref = given.get("done", ""), given.get("done_to", "")
    shown = done if done in _DONE else ""
    if shown == "acknowledge" and not ref:
        shown = acknowledging(incident, incident["actions"], person_of(actor))
    return {"done": shown, "done_to": ref if is_incident_ref(ref) else ""}


def _changes(
    given: Mapping[str, str],
    timeline: Mapping[str, Any],
    incident: Mapping[str, Any],
    actor: str,
) -> Changes | None:
    """Return what happened after the version that an open form is about, if any."""
    seen = given.get("seen", "")[:_VERSION_MAX]
    return changes_since(timeline["items"], seen, incident["version"], actor)


def _people(incident: Mapping[str, Any]) -> list[str | None]:
    return [
        *(incident[name] for name in _PEOPLE),
        *(each["person"] for each in incident["contacts"]),
        *(each["person"] for each in incident["reminders"]),
    ]


@router.post("/incidents/{ref}/presence")
async def post_presence(request: Request, ref: str) -> Response:
    """Report that the page is open; answer with the line that says who else has it."""
    return await screen(request, partial(_present, ref))


async def _present(ref: str, request: Request, client: ApiClient) -> Response:
    try:
        form = await sent_form(request)
    except Expired:
        return Response(status_code=HTTPStatus.FORBIDDEN)
    body: dict[str, Any] = {
        "page": form.get("page", ""),
        "is_over": bool(form.get("is_over")),
    }
    if _NUMBER.fullmatch(form.get("number", "")):
        body["number"] = int(form["number"])
    if action_of(ACTIONS, form.get("form", "")):
        body["form"] = form["form"]
    found = await client.post(f"/v1/incidents/{quote(ref, safe='')}/presence", body)
    items = found["items"]
    # Those who write come first, if there is no place for all.
    shown = sorted(items, key=lambda each: not each["form"])[:PRESENT_MAX]
    return page(
        "presence.html",
        language_of(request),
        present=shown,
        more=len(items) - len(shown),
        names=await names_of(client, [each["person"] for each in shown]),
    )
