"""The screens of month reports: the list, and one report to write, approve and publish.

The same page is printed: what acts on a report is not on paper.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import (
    VERSION,
    Draft,
    Expired,
    key_header,
    new_draft,
    refused_draft,
    sent_form,
)
from services.projections.web.api_client import ApiClient, ApiError, names_of, person_of
from services.projections.web.month_reports.views import changed, sections_of
from services.projections.web.people.visitor import people_screen, visitor_of
from services.projections.web.rendering import page, refusal_of
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

PLACE = "/month-reports"
_DOWNLOADED = ("content-type", "content-disposition", "cache-control")
Form = Mapping[str, str]


def _comment(form: Form) -> tuple[str, Mapping[str, Any]]:
    # Browsers send the ends of lines as two characters, which count for the limit.
    text = form.get("text", "").replace("\r\n", "\n").strip()
    return "comment", {"section": form.get("section", ""), "text": text or None}


def _approval(form: Form) -> tuple[str, Mapping[str, Any]]:
    return "approve", {"seen": form.get("seen", "")}


def _publication(_form: Form) -> tuple[str, Mapping[str, Any]]:
    return "publish", {}


_FORMS: Mapping[str, Callable[[Form], tuple[str, Mapping[str, Any]]]] = {
    "comment_month_report": _comment,
    "approve_month_report": _approval,
    "publish_month_report": _publication,
}
"""The command of each form: the end of its path, and its body."""


@router.get("/month-reports")
async def get_list(request: Request) -> Response:
    """Show the reports of the last months."""
    return await people_screen(request, _list)


@router.get("/month-reports/{client}/{month}")
async def get_report(request: Request, client: str, month: str) -> Response:
    """Show a report, or one of its editions."""
    return await people_screen(request, partial(_shown, _path(client, month)))


@router.get("/month-reports/{client}/{month}/rows")
async def get_rows(request: Request, client: str, month: str) -> Response:
    """Download its numbers as a table for a spreadsheet, or as lines of JSON."""
    return await people_screen(request, partial(_rows, client, month))


@router.post("/month-reports/{client}/{month}/{verb}")
async def post_form(request: Request, client: str, month: str, verb: str) -> Response:
    """Comment on a report, approve it, or publish it."""
    if verb not in _FORMS:
        raise HttpError(404, f"this page has no action {verb[:64]}")
    return await people_screen(request, partial(_act, _path(client, month), verb))


async def _list(request: Request, api: ApiClient) -> Response:
    visitor, found = await asyncio.gather(
        visitor_of(api), api.get("/v1/month-reports", {})
    )
    return page(
        "month_reports.html",
        language_of(request),
        reports=found["items"],
        zone=found["zone"],
        first_of=_first,
        place=PLACE,
        **visitor.head,
    )


def _first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _path(client: str, month: str) -> str:
    return f"{PLACE}/{quote(client, safe='')}/{quote(month, safe='')}"


async def _rows(client: str, month: str, request: Request, api: ApiClient) -> Response:
    form = "jsonl" if request.query_params.get("format") == "jsonl" else "csv"
    path = f"/v1{_path(client, month)}?{urlencode({'format': form})}"
    content, headers = await api.content(path)
    kept = {name: headers[name] for name in _DOWNLOADED if name in headers}
    return Response(content, headers=kept)


async def _shown(
    place: str,
    request: Request,
    api: ApiClient,
    draft: Draft | None = None,
    status: int = HTTPStatus.OK,
    refused: str = "",
) -> Response:
    language, given = language_of(request), request.query_params
    visitor, found = await asyncio.gather(visitor_of(api), api.get(f"/v1{place}", {}))
    chosen = given.get("edition", "")
    edition = _edition(found, chosen)
    return page(
        "month_report.html",
        language,
        status,
        found=found,
        shown_edition=edition,
        names=await names_of(api, _people(found)),
        draft=draft or new_draft(request, found["version"]),
        refused=refused,
        done=_told(given.get("done", "")),
        may_write=visitor.may_command and chosen in {"", "now"},
        may_approve=visitor.may_give,
        wrote=f"person:{visitor.person}"
        in {each["by"] for each in found["comments"].values()},
        first=_first(found["month"]),
        zone=found["zone"],
        place=place,
        **_content(found, edition, language),
        **visitor.head,
    )


def _content(
    found: Mapping[str, Any], edition: Mapping[str, Any] | None, language: Language
) -> Mapping[str, Any]:
    """Return the sections of an edition, or as the report is now, and what differs."""
    shown = edition or found
    figures, sections = shown["figures"], found["sections"]
    numbers, before = figures["numbers"], figures["before"]
    last = found["editions"][0]["figures"] if found["editions"] else None
    differences = (
        [*changed(sections, last["numbers"], found["figures"]["numbers"], language)]
        if last
        else []
    )
    return {
        "numbers": numbers,
        "comments": shown["comments"],
        "sections": sections_of(sections, numbers, before, language),
        "differences": differences,
        "more_differences": max(0, len(found["differences"]) - len(differences)),
    }


def _edition(found: Mapping[str, Any], chosen: str) -> Mapping[str, Any] | None:
    """Return the edition that is chosen; without a choice the last, if it is current.

    None: the report as it is now.
    """
    editions = found["editions"]
    if chosen == "now":
        return None
    if not chosen:
        return editions[0] if found["state"] == "published" else None
    for each in editions:
        if str(each["edition"]) == chosen:
            return dict(each)
    raise HttpError(404, f"this report has no edition {chosen[:8]}")


def _people(found: Mapping[str, Any]) -> set[str]:
    said = [*found["comments"].values(), *found["editions"]]
    for each in found["editions"]:
        said += each["comments"].values()
    actors = [each["by"] for each in said]
    actors += [each["approved_by"] for each in found["editions"]]
    if found["approved"]:
        actors.append(found["approved"]["by"])
    return {*map(person_of, actors), *found["contacts"]}


def _told(done: str) -> str:
    return done if done in _FORMS else ""


async def _act(place: str, verb: str, request: Request, api: ApiClient) -> Response:
    language = language_of(request)
    try:
        form = await sent_form(request)
    except Expired as error:
        why = refusal_text(language, "form")
        draft = refused_draft(request, error.form, error, why)
        return await _shown(place, request, api, draft, HTTPStatus.FORBIDDEN, verb)
    path, body = _FORMS[verb](form)
    headers = key_header(form, f"{place}/{path}")
    if form.get(VERSION):
        headers["If-Match"] = f'"{form[VERSION]}"'
    try:
        await api.post(f"/v1{place}/{path}", body, headers)
    except ApiError as error:
        if error.is_signed_out:
            raise
        draft = refused_draft(request, form, error, refusal_of(language, error))
        return await _shown(place, request, api, draft, error.status, verb)
    return RedirectResponse(
        f"{place}?{urlencode({'done': verb})}", HTTPStatus.SEE_OTHER
    )
