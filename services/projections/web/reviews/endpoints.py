"""The screens of the review of an incident: to write it, to read it, and the lists."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.api.reviews.markdown import figure_texts
from services.projections.api.reviews.schemas import FiguresView
from services.projections.web.actions import (
    Action,
    Draft,
    Expired,
    Field,
    key_header,
    new_draft,
    refused_draft,
    sent_fields,
)
from services.projections.web.api_client import (
    ApiClient,
    ApiError,
    names_of,
    person_of,
)
from services.projections.web.people.visitor import people_screen, visitor_of
from services.projections.web.person_field import why_of, with_people
from services.projections.web.rendering import page, refusal_of
from services.projections.web.reviews.forms import FORMS, Form, place_in
from shared.domain.review.facts import FACTS_MAX
from shared.http.problem_details import HttpError
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

PLACE = "/reviews"
_FIELDS_MAX = FACTS_MAX + 20
"""A form has a field for each fact that is ticked."""
_WITH_OWNER = Action("review", (Field("owner", "person"),))
_DONE = frozenset(f"{verb}_review" for verb in FORMS)
"""What a page may say is done."""


@router.get("/incidents/{ref}/review")
async def get_review(request: Request, ref: str) -> Response:
    """Show the review of an incident, with a form for each section."""
    return await people_screen(request, partial(_shown, ref))


@router.post("/incidents/{ref}/review/{verb}")
async def post_form(request: Request, ref: str, verb: str) -> Response:
    """Open the review, write a section, publish it, or follow an action."""
    if verb not in FORMS:
        raise HttpError(404, f"this page has no action {verb[:64]}")
    return await people_screen(request, partial(_act, ref, verb))


@router.get("/incidents/{ref}/review/document")
async def get_document(request: Request, ref: str) -> Response:
    """Show an edition of a review, or the draft, to read and to print."""
    return await people_screen(request, partial(_document, ref))


@router.get("/incidents/{ref}/review/document.md")
async def get_markdown(request: Request, ref: str) -> Response:
    """Return the same as Markdown."""
    return await people_screen(request, partial(_markdown, ref))


@router.get("/reviews")
async def get_reviews(request: Request) -> Response:
    """Show all reviews."""
    return await people_screen(request, _reviews)


@router.get("/reviews/actions")
async def get_actions(request: Request) -> Response:
    """Show the actions of all reviews, or of one person."""
    return await people_screen(request, _actions)


def _place(ref: str) -> str:
    return f"/incidents/{quote(ref, safe='')}/review"


async def _shown(
    ref: str,
    request: Request,
    client: ApiClient,
    draft: Draft | None = None,
    status: int = HTTPStatus.OK,
    refused: str = "",
) -> Response:
    language, given = language_of(request), request.query_params
    visitor = await visitor_of(client)
    reached = {"min_position": given.get("min_position", "0")}
    asked = {**reached, "lang": language, "zone": visitor.zone}
    try:
        review = await client.get(f"/v1{_place(ref)}", asked)
    except ApiError as error:
        if error.code != "unknown_review":
            raise
        review = None
    incident = await client.get(f"/v1/incidents/{quote(ref, safe='')}", {})
    done = given.get("done", "")
    return page(
        "review.html",
        language,
        status,
        incident=incident,
        review=review,
        figures=_figures(review, language),
        may_open=visitor.may_command,
        me_id=visitor.person,
        names=await names_of(client, _people_in(review, visitor.person)),
        draft=draft or new_draft(request),
        refused=refused,
        done=done if done in _DONE else "",
        zone=visitor.zone,
        place=_place(ref),
        **visitor.head,
    )


def _figures(found: Mapping[str, Any] | None, language: str) -> Sequence[Any]:
    if found is None:
        return ()
    figures = FiguresView.model_validate(found["figures"])
    return [*figure_texts(figures, language)]


def _people_in(review: Mapping[str, Any] | None, me: str) -> set[str | None]:
    if review is None:
        return {me}
    authors = (person_of(each["by"]) for each in review["sections"] if each["by"])
    editors = (person_of(each["by"]) for each in review["editions"])
    owners = (each["owner"] for each in review["actions"])
    return {me, review["owner"], *authors, *editors, *owners}


async def _act(ref: str, verb: str, request: Request, client: ApiClient) -> Response:
    language = language_of(request)
    try:
        form: Form = dict(await sent_fields(request, _FIELDS_MAX))
    except Expired as error:
        why = refusal_text(language, "form")
        draft = refused_draft(request, error.form, error, why)
        where = place_in(error.form, verb)
        return await _shown(ref, request, client, draft, HTTPStatus.FORBIDDEN, where)
    try:
        command = FORMS[verb](await with_people(client, _WITH_OWNER, form))
        path = f"/v1{_place(ref)}{command.path}"
        answer = await client.post(path, command.body, key_header(form, path))
    except ApiError as error:
        if error.is_signed_out:
            raise
        why = why_of(refusal_of(language, error), error)
        draft = refused_draft(request, form, error, why)
        where = place_in(form, verb)
        return await _shown(ref, request, client, draft, error.status, where)
    told = {"done": f"{verb}_review"}
    if answer["positions"]:
        told["min_position"] = str(answer["positions"][-1])
    anchor = f"#section-{form['section']}" if form.get("section") else ""
    return RedirectResponse(
        f"{_place(ref)}?{urlencode(told)}{anchor}", HTTPStatus.SEE_OTHER
    )


def _asked(request: Request) -> dict[str, str | list[str]]:
    given = request.query_params
    kept: dict[str, str | list[str]] = {
        name: given[name] for name in ("edition", "people") if given.get(name)
    }
    return kept


async def _document(ref: str, request: Request, client: ApiClient) -> Response:
    language, visitor = language_of(request), await visitor_of(client)
    asked = {**_asked(request), "lang": language, "zone": visitor.zone}
    found = await client.get(f"/v1{_place(ref)}/document", asked)
    return page(
        "review_document.html",
        language,
        document=found,
        figures=_figures(found, language),
        query=urlencode(_asked(request)),
        zone=visitor.zone,
        place=_place(ref),
        **visitor.head,
    )


async def _markdown(ref: str, request: Request, client: ApiClient) -> Response:
    language = language_of(request)
    asked = {**_asked(request), "lang": language, "format": "markdown"}
    content, headers = await client.content(
        f"/v1{_place(ref)}/document?{urlencode(asked)}"
    )
    name = f'attachment; filename="{quote(ref, safe="")}-review.md"'
    kept = {"Content-Type": headers["content-type"], "Content-Disposition": name}
    return Response(content, headers={**kept, "Cache-Control": "no-store"})


async def _reviews(request: Request, client: ApiClient) -> Response:
    given = request.query_params
    status = given.get("status", "open")
    asked: dict[str, str | list[str]] = {"status": status}
    asked |= {name: given[name] for name in ("cursor",) if given.get(name)}
    visitor, found = await asyncio.gather(
        visitor_of(client), client.get("/v1/reviews", asked)
    )
    return page(
        "reviews.html",
        language_of(request),
        reviews=found["items"],
        shown=status,
        onward=urlencode({"status": status, "cursor": found["next_cursor"] or ""}),
        more=found["next_cursor"] is not None,
        names=await names_of(client, {each["owner"] for each in found["items"]}),
        zone=visitor.zone,
        **visitor.head,
    )


async def _actions(request: Request, client: ApiClient) -> Response:
    given, visitor = request.query_params, await visitor_of(client)
    status, mine = given.get("status", "open"), bool(given.get("mine"))
    asked: dict[str, str | list[str]] = {"status": status}
    asked |= {"owner": visitor.person} if mine else {}
    kept = {"status": status, **({"mine": "1"} if mine else {})}
    asked |= {name: given[name] for name in ("cursor",) if given.get(name)}
    found = await client.get("/v1/review-actions", asked)
    return page(
        "review_actions.html",
        language_of(request),
        actions_found=found["items"],
        shown=status,
        mine=mine,
        onward=urlencode({**kept, "cursor": found["next_cursor"] or ""}),
        more=found["next_cursor"] is not None,
        names=await names_of(client, {each["owner"] for each in found["items"]}),
        zone=visitor.zone,
        **visitor.head,
    )
