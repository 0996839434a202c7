"""The screen of an import of shifts: a file or an address, a preview, and the import.

Names in the file that are nobody's come back as fields, in which the visitor says whom
they mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import KEY, KEY_BYTES, new_draft
from services.projections.web.api_client import ApiClient, ApiError, names_of
from services.projections.web.csrf import is_genuine
from services.projections.web.people.visitor import visitor_of, why_not
from services.projections.web.rendering import page
from services.projections.web.screens import screen
from shared.domain.icalendar_file import FILE_BYTES_MAX
from shared.http.bodies import read_body
from shared.http.multipart import OVERHEAD_BYTES_MAX, PARTS_MAX, form_parts
from shared.http.problem_details import HttpError
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

FORM_BYTES_MAX = 2 * FILE_BYTES_MAX + OVERHEAD_BYTES_MAX
"""A file, and the same again as text in the form."""
NAMES_MAX = (PARTS_MAX - 10) // 2
"""How many names the form can ask for; each takes two fields."""
LEFT_OUT = "-"
"""What is entered for a name that is nobody's, such as a holiday."""


@router.get("/on-call/{schedule}/import")
async def get_import(request: Request, schedule: str) -> Response:
    """Show the form of an import."""
    return await screen(request, partial(_begin, schedule))


@router.post("/on-call/{schedule}/import")
async def post_import(request: Request, schedule: str) -> Response:
    """Show what an import would change, or import after that."""
    return await screen(request, partial(_send, schedule))


@dataclass(frozen=True, slots=True)
class _Shown:
    """A step of an import: its form as it is, and what the API said about it."""

    form: Mapping[str, str] = field(default_factory=dict)
    preview: Mapping[str, Any] | None = None
    unmatched: Sequence[str] = ()
    """Names in the file that are nobody's."""
    why: tuple[str, str] = ("", "")
    """Why it was refused, and the API's own sentence if that says more."""
    status: int = HTTPStatus.OK


async def _begin(schedule: str, request: Request, client: ApiClient) -> Response:
    return await _page(schedule, request, client, _Shown())


async def _send(schedule: str, request: Request, client: ApiClient) -> Response:
    language, show = language_of(request), partial(_page, schedule, request, client)
    try:
        form = await _form(request)
    except HttpError as error:
        details = error.details
        why = refusal_text(language, details.code, details.detail)
        return await show(_Shown(why=(why, ""), status=details.status))
    if form.get("step") == "form":
        return await show(_Shown(form))
    confirmed = form.get("step") == "confirm"
    key = form.get(KEY) or token_urlsafe(KEY_BYTES)
    try:
        found = await client.post(
            f"/v1/oncall/{quote(schedule, safe='')}/calendar",
            {**_body(form), "preview": not confirmed},
            {"Idempotency-Key": key} if confirmed else None,
        )
    except ApiError as error:
        if error.is_signed_out:
            raise
        unmatched = error.messages if error.code == "unmatched_names" else ()
        reasons = why_not(language, error)
        return await show(_Shown(form, None, unmatched, reasons, error.status))
    if confirmed:
        return _onward(schedule, found)
    return await show(_Shown(form, found))


def _onward(schedule: str, found: Mapping[str, Any]) -> Response:
    onward = {"from": found["start"][:10], "done": "on_call_import_shifts"}
    place = f"/on-call/{quote(schedule, safe='')}?{urlencode(onward)}"
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


async def _form(request: Request) -> Mapping[str, str]:
    """Return the fields of a genuine form, with the text of its file."""
    parts = form_parts(request, await read_body(request, FORM_BYTES_MAX))
    form = {part.name: part.text for part in parts if part.filename is None}
    if not is_genuine(request, form):
        raise HttpError(403, "this form was not shown to you", code="form")
    for part in parts:
        if part.filename and part.content:
            form["text"] = bytes(part.content).decode("utf-8", "replace")
    return form


def _body(form: Mapping[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        name: form[name].strip()
        for name in ("from", "to", "name", "url")
        if form.get(name, "").strip()
    }
    if form.get("text", "").strip():
        body["text"] = form["text"]
    return {**body, "people": _people(form)}


def _people(form: Mapping[str, str]) -> Mapping[str, str | None]:
    """Return whom the names in the file mean, as far as it was entered."""
    entered = {
        form[f"name:{index}"]: form.get(f"who:{index}", "").strip()
        for index in range(NAMES_MAX)
        if f"name:{index}" in form
    }
    return {
        name: None if who == LEFT_OUT else who for name, who in entered.items() if who
    }


async def _page(
    schedule: str, request: Request, client: ApiClient, shown: _Shown
) -> Response:
    visitor = await visitor_of(client)
    found = await client.get("/v1/oncall", {"schedule": schedule})
    people = {
        person
        for each in (shown.preview["differences"] if shown.preview else ())
        for person in (*each["before"], *each["after"])
    }
    asked = [(name, who or LEFT_OUT) for name, who in _people(shown.form).items()]
    asked += [(name, "") for name in shown.unmatched]
    back = f"/on-call/{quote(schedule, safe='')}"
    return page(
        "on_call_import.html",
        language_of(request),
        shown.status,
        schedule=schedule,
        form=shown.form,
        asked=asked[:NAMES_MAX],
        preview=shown.preview,
        why=shown.why[0],
        detail=shown.why[1],
        draft=new_draft(request),
        names=await names_of(client, people),
        zone=found["items"][0]["timezone"],
        back=back,
        place=f"{back}/import",
        **visitor.head,
    )
