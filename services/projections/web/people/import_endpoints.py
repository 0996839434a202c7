"""The screen of an import: a file, a preview of everything it changes, and the import.

What is imported is what the preview showed: its digest goes with the confirmation, and
the owner refuses if the file would change something else meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.actions import KEY, KEY_BYTES, new_draft
from services.projections.web.api_client import ApiClient, ApiError
from services.projections.web.csrf import is_genuine
from services.projections.web.people.views import FileMistake, mistakes_in
from services.projections.web.people.visitor import (
    people_screen,
    visitor_of,
    why_not,
)
from services.projections.web.rendering import page
from shared.domain.commands.person import IMPORT_BYTES_MAX, REMOVED_SHARE_MAX
from shared.http.bodies import read_body
from shared.http.multipart import OVERHEAD_BYTES_MAX, form_parts
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.i18n.details import detail_text
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

PLACE = "/people/import"
FORM_BYTES_MAX = 2 * IMPORT_BYTES_MAX + OVERHEAD_BYTES_MAX
"""A file, and the same again as text in the form."""
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a file was not taken: a sentence, or all mistakes in it."""

    why: str = ""
    detail: str = ""
    """The API's own sentence, if that says more."""
    mistakes: Sequence[FileMistake] = ()


NOTHING_WRONG = Wrong()


@router.get("/people/import")
async def get_import(request: Request) -> Response:
    """Show the form for a file."""
    return await people_screen(request, _empty)


@router.post("/people/import")
async def post_import(request: Request) -> Response:
    """Show what a file would change, or import it after that."""
    return await people_screen(request, _sent)


async def _empty(request: Request, client: ApiClient) -> Response:
    visitor = await visitor_of(client)
    if not visitor.is_admin:
        raise ApiError(HTTPStatus.FORBIDDEN, "scope", "for an admin")
    return _shown(request, {})


async def _sent(request: Request, client: ApiClient) -> Response:
    try:
        form = await _form(request)
    except HttpError as error:
        details = error.details
        why = refusal_text(language_of(request), details.code, details.detail)
        return _shown(request, {}, status=details.status, wrong=Wrong(why))
    confirmed = form.get("step") == "run"
    body: dict[str, Any] = {
        "text": form.get("text", ""),
        "format": form.get("format", "csv"),
        "remove_missing": bool(form.get("remove_missing")),
        "preview": not confirmed,
    }
    if confirmed:
        body["expected"] = form.get("digest", "")
    key = form.get(KEY) or token_urlsafe(KEY_BYTES)
    try:
        found = await client.post(
            "/v1/people/import", body, {"Idempotency-Key": key} if confirmed else None
        )
    except ApiError as error:
        if error.is_signed_out or error.status == HTTPStatus.FORBIDDEN:
            raise
        wrong = _wrong(language_of(request), form, error)
        return _shown(request, form, status=error.status, wrong=wrong)
    return _shown(request, form, found=found)


def _wrong(language: Language, form: Mapping[str, str], error: ApiError) -> Wrong:
    if error.code != "invalid" or not error.messages:
        return Wrong(*why_not(language, error))
    found = mistakes_in(form.get("text", ""), error.messages)
    return Wrong(
        mistakes=[
            replace(
                each, sentence=detail_text(language, each.sentence) or each.sentence
            )
            for each in found
        ]
    )


async def _form(request: Request) -> Mapping[str, str]:
    """Return the fields of a genuine form, with the text of its file."""
    parts = form_parts(request, await read_body(request, FORM_BYTES_MAX))
    form = {part.name: part.text for part in parts if part.filename is None}
    if not is_genuine(request, form):
        raise HttpError(403, "this form was not shown to you", code="form")
    form["text"] = form.get("text", "").replace("\r\n", "\n")
    for part in parts:
        if part.filename and part.content:
            form["text"] = _decoded(bytes(part.content))
            is_yaml = part.filename.lower().endswith((".yaml", ".yml"))
            form["format"] = "yaml" if is_yaml else "csv"
    return form


def _decoded(content: bytes) -> str:
    """Return a file as text: UTF-8, or what spreadsheets on Windows write."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    return text.removeprefix(_BOM)


def _shown(
    request: Request,
    form: Mapping[str, str],
    *,
    found: Mapping[str, Any] | None = None,
    status: int = HTTPStatus.OK,
    wrong: Wrong = NOTHING_WRONG,
) -> Response:
    return page(
        "people_import.html",
        language_of(request),
        status,
        form=form,
        found=found,
        wrong=wrong,
        share=REMOVED_SHARE_MAX,
        draft=new_draft(request),
        scopes=("admin",),
        place=PLACE,
    )
