"""Acting on several incidents: the form of a command, its preview, and its outcome.

Three steps of one form, each a page. What is executed is what the preview showed; the
key of the form stays, so that sending it again finishes what was interrupted.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.api.limits import BULK_MAX
from services.projections.web.actions import (
    KEY,
    Action,
    Draft,
    Expired,
    action_of,
    body_of,
    new_draft,
    refused_draft,
    sent_fields,
)
from services.projections.web.api_client import ApiClient, ApiError
from services.projections.web.person_field import why_of, with_people
from services.projections.web.queue.bulk_actions import BULK_ACTIONS, with_teams
from services.projections.web.queue.chips import Given, expression, with_view
from services.projections.web.queue.screen import (
    NO_TEAMS,
    Note,
    given_in,
    queue_screen,
    view_of,
)
from services.projections.web.rendering import page, refusal_of
from services.projections.web.screens import screen
from shared.domain.identifiers import is_incident_ref
from shared.http.problem_details import HttpError
from shared.i18n.catalog import text_of
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

_FIELDS_MAX = BULK_MAX + 60
_BEGINNING = ("verb", "scope", "back")
"""What the address of the first page says, beside the incidents."""


@router.get("/queue/bulk")
async def get_bulk(request: Request) -> Response:
    """Show the form of a command for several incidents, or its preview."""
    return await screen(request, _begun)


@router.post("/queue/bulk")
async def post_bulk(request: Request) -> Response:
    """Go to the form of a command; show its preview, or its outcome."""
    return await screen(request, _bulk)


async def _begun(request: Request, client: ApiClient) -> Response:
    """Return the first page; the queue if the address names no command."""
    given = request.query_params
    form = {"step": "form", **{name: given.get(name, "") for name in _BEGINNING}}
    action = action_of(BULK_ACTIONS, form["verb"])
    if action is None:
        return await queue_screen(request, client, given_in(form["back"]))
    bulk = _Bulk(request, client, form, _refs(given.multi_items()))
    return await bulk.step(await _adapted(action, client))


async def _bulk(request: Request, client: ApiClient) -> Response:
    language = language_of(request)
    try:
        fields = await sent_fields(request, _FIELDS_MAX)
    except Expired as error:
        return await _expired(request, client, error)
    form = dict(fields)
    action = action_of(BULK_ACTIONS, form.get("verb", ""))
    if action is None:
        raise HttpError(422, "choose what to do with them")
    refs = _refs(fields)
    if not refs and form.get("scope") != "matching":
        note = Note(text_of(language, "page.bulk", "nothing_selected"), 422)
        given = given_in(form.get("back", ""))
        return await queue_screen(request, client, given, note)
    if form.get("step") == "form":
        # To a page with an address: going back to it does not ask to send it again.
        begun = {name: form[name] for name in _BEGINNING if form.get(name)}
        onward = urlencode({**begun, "refs": " ".join(refs)})
        return RedirectResponse(f"/queue/bulk?{onward}", HTTPStatus.SEE_OTHER)
    bulk = _Bulk(request, client, form, refs)
    return await bulk.step(await _adapted(action, client))


async def _expired(request: Request, client: ApiClient, error: Expired) -> Response:
    """Return the same step with what was typed, the queue if it began there."""
    form, why = error.form, refusal_text(language_of(request), "form")
    action = action_of(BULK_ACTIONS, form.get("verb", ""))
    if action is None or not form.get("refs"):
        note, given = Note(why, 403, form), given_in(form.get("back", ""))
        return await queue_screen(request, client, given, note)
    bulk = _Bulk(request, client, form, _refs(list(form.items())))
    return bulk.refused(await _adapted(action, client), error, why, 403)


def _refs(fields: Given) -> Sequence[str]:
    written = [v for name, v in fields if name in ("ref", "refs")]
    found = (ref for text in written for ref in text.split())
    return [ref for ref in dict.fromkeys(found) if is_incident_ref(ref)][:BULK_MAX]


async def _adapted(action: Action, client: ApiClient) -> Action:
    if not any(field.name == "team" for field in action.fields):
        return action
    queues = (await client.get("/v1/queues", {}))["items"]
    teams = [one["queue"] for one in queues if one["queue"] not in NO_TEAMS]
    return with_teams(action, teams)


class _Bulk:
    """One step of the form of a command for several incidents."""

    def __init__(
        self,
        request: Request,
        client: ApiClient,
        form: Mapping[str, str],
        refs: Sequence[str],
    ) -> None:
        self._request = request
        self._client = client
        self._form = form
        self._refs = refs

    async def step(self, action: Action) -> Response:
        """Return the page of the step that the form asks for."""
        step = self._form.get("step", "")
        if step == "form" and action.fields:
            return self._page(action, self._draft(action))
        show = self._run if step == "run" else self._preview
        try:
            return await show(action)
        except ApiError as error:
            if error.is_signed_out:
                raise
            why = why_of(refusal_of(language_of(self._request), error), error)
            return self.refused(action, error, why, error.status)

    def refused(
        self, action: Action, error: ApiError | Expired, why: str, status: int
    ) -> Response:
        """Return the page of a step that was not accepted, with why."""
        draft = refused_draft(self._request, self._form, error, why)
        return self._page(action, draft, status=status)

    async def _preview(self, action: Action) -> Response:
        self._form = await with_people(self._client, action, self._form)
        body = body_of(action, self._form)
        selected: dict[str, Any] = {"refs": self._refs}
        if self._form.get("scope") == "matching":
            given = given_in(self._form.get("back", ""))
            asked = with_view(given, await view_of(self._client, given))
            selected = {"queue": dict(asked).get("queue") or "all"}
            if written := expression(asked):
                selected["filter"] = written
        wanted = {"verb": action.verb, "body": body, "preview": True, **selected}
        found = await self._client.post("/v1/bulk", wanted)
        return self._page(action, self._draft(action), found)

    async def _run(self, action: Action) -> Response:
        pairs = (each.partition(":") for each in self._form.get("changes", "").split())
        wanted = {
            "verb": action.verb,
            "body": body_of(action, self._form),
            "changes": [
                {"ref": r, "version": int(v)}
                for r, _, v in pairs
                if v.isascii() and v.isdigit()
            ],
            "digest": self._form.get("digest", ""),
        }
        key = self._form.get(KEY) or new_draft(self._request).key
        found = await self._client.post("/v1/bulk", wanted, {"Idempotency-Key": key})
        return self._page(action, self._draft(action, key), found)

    def _draft(self, action: Action, key: str = "") -> Draft:
        fresh = new_draft(self._request)
        named = {field.name for field in action.fields}
        values = {k: v for k, v in self._form.items() if k in named}
        return Draft(fresh.csrf, key or fresh.key, "", values)

    def _page(
        self,
        action: Action,
        draft: Draft,
        found: Mapping[str, Any] | None = None,
        status: int = 200,
    ) -> Response:
        return page(
            "bulk.html",
            language_of(self._request),
            status,
            action=action,
            draft=draft,
            found=found,
            refs=self._refs,
            scope=self._form.get("scope", "selected"),
            back=self._form.get("back", ""),
            reached=_reached(found),
            was_sent=self._form.get("step") == "run",
            changes=_written(found, self._form.get("changes", "")),
            digest=(found or {}).get("digest") or self._form.get("digest", ""),
        )


def _reached(found: Mapping[str, Any] | None) -> str:
    """Return the query by which another page shows what was recorded."""
    position = found["position"] if found else 0
    return urlencode({"min_position": position}) if position else ""


def _written(found: Mapping[str, Any] | None, sent: str) -> str:
    if found is None or not found["preview"]:
        return sent
    return " ".join(f"{each['ref']}:{each['version']}" for each in found["changes"])
