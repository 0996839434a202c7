"""Endpoints for reviews: one, to write; as a document, to read; and lists."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from services.projections.api.answers import refusals, shown, tabular
from services.projections.api.callers import (
    SomeReader,
    may_look_people_up,
)
from services.projections.api.desk import DeskHere
from services.projections.api.query_params import PreferredLanguage, Ref
from services.projections.api.reviews.lists import actions, reviews
from services.projections.api.reviews.markdown import markdown_of
from services.projections.api.reviews.schemas import (
    DocumentQuery,
    ReviewActionList,
    ReviewActionsQuery,
    ReviewDocument,
    ReviewList,
    ReviewQuery,
    ReviewsQuery,
    ReviewView,
)
from services.projections.api.reviews.views import document, review_view
from services.projections.read_models import QUEUE

router = APIRouter(tags=["reviews"])
_MARKDOWN = "text/markdown"


@router.get("/v1/incidents/{ref}/review", responses=refusals(404))
async def get_review(
    ref: Ref,
    query: Annotated[ReviewQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
    liked: PreferredLanguage,
) -> ReviewView:
    """Show the review of an incident, with the facts that the log has for it."""
    language = query.lang or liked
    return await desk.blocking(review_view, desk, ref, query, caller, language)


@router.get(
    "/v1/incidents/{ref}/review/document",
    response_model=ReviewDocument,
    responses={
        200: {"content": {_MARKDOWN: {"schema": {"type": "string"}}}},
        **refusals(404),
    },
)
async def get_document(
    ref: Ref,
    query: Annotated[DocumentQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
    liked: PreferredLanguage,
) -> BaseModel | Response:
    """Show an edition of a review as it was published, or the draft."""
    language = query.lang or liked
    if not may_look_people_up(caller):
        query = query.model_copy(update={"people": "roles"})
    found = await desk.blocking(document, desk, ref, query, caller, language)
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    if query.format == "json":
        return found
    return Response(markdown_of(found), media_type=_MARKDOWN, headers=headers)


@router.get("/v1/reviews", response_model=ReviewList, responses=tabular())
async def list_reviews(
    request: Request,
    query: Annotated[ReviewsQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """List reviews, those of the newest incidents first."""
    await desk.reached(query.min_position, QUEUE)
    return shown(request, query, await desk.blocking(reviews, desk, query, caller))


@router.get("/v1/review-actions", response_model=ReviewActionList, responses=tabular())
async def list_review_actions(
    request: Request,
    query: Annotated[ReviewActionsQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """List the actions of all reviews, those due first at the beginning."""
    await desk.reached(query.min_position, QUEUE)
    return shown(request, query, await desk.blocking(actions, desk, query, caller))
