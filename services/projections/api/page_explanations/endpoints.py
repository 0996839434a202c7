"""Why somebody was paged for an incident, or was not: for themselves, or with a reason.

Reading about oneself leaves no trace. A question about somebody else is recorded first,
by intake, and the person sees it; without that, only whether they were on call.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request

from services.projections.api.answers import body_of, refusals
from services.projections.api.callers import (
    SomeReader,
    Token,
    credential_of,
    person_of,
)
from services.projections.api.commands.messages import Message
from services.projections.api.desk import DeskHere
from services.projections.api.page_explanations.schemas import PagesExplained, Questions
from services.projections.api.page_explanations.views import (
    Wanted,
    explained,
    questions,
)
from services.projections.api.query_params import (
    InstantQuery,
    Nothing,
    PersonPath,
    PreferredLanguage,
    QueryParams,
    Ref,
)
from shared.domain.commands.page_explanation import ExplainPages, ExplanationAnswer
from shared.domain.policy.clause import Person
from shared.http.bodies import read_object, validated
from shared.http.command_headers import CommandHeaders, idempotency_key
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language

router = APIRouter(tags=["on call"])


class WhyQuery(InstantQuery):
    """About whom, and as of when."""

    person: Person
    lang: Language | None = None
    """The language of the text. Default: the first choice of `Accept-Language`."""


@router.get("/v1/incidents/{ref}/pages/why", responses=refusals(404))
async def get_page_reasons(
    ref: Ref,
    query: Annotated[WhyQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
    liked: PreferredLanguage,
) -> PagesExplained:
    """Show why you were paged for an incident, or were not, at any instant.

    About a colleague it only says whether they were on call.
    """
    wanted = Wanted(
        ref,
        query.person,
        query.at,
        query.min_position,
        query.lang or liked,
        everything=query.person == person_of(caller),
    )
    return await desk.blocking(explained, desk, wanted, caller)


async def _message(
    ref: Ref,
    request: Request,
    _: SomeReader,
    token: Token,
    headers: Annotated[CommandHeaders, Header()],
    _query: Annotated[Nothing, Query()],
) -> Message:
    return Message(
        incident=ref,
        credential=credential_of(token),
        idempotency_key=idempotency_key(headers.idempotency_key),
        body=await read_object(request),
    )


@router.post(
    "/v1/incidents/{ref}/pages/why",
    responses=refusals(400, 403, 404, 409, 413, 415),
    openapi_extra=body_of(ExplainPages),
)
async def explain_pages(
    message: Annotated[Message, Depends(_message)],
    desk: DeskHere,
    caller: SomeReader,
    liked: PreferredLanguage,
) -> PagesExplained:
    """Ask why a colleague was paged, or was not: for their managers, and auditors.

    The question is recorded, with its reason, and the colleague sees it.
    """
    command = validated(ExplainPages, message.body, "question")
    answer = await desk.owner.ask(
        command.aggregate, command.verb, message, ExplanationAnswer
    )
    wanted = Wanted(
        answer.incident, command.person, command.at, 0, liked, everything=True
    )
    return await desk.blocking(explained, desk, wanted, caller)


@router.get("/v1/people/{person}/page-questions", responses=refusals(403))
async def get_page_questions(
    person: PersonPath,
    query: Annotated[QueryParams, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> Questions:
    """Show who asked about your pages, when and why; auditors see everybody's."""
    is_auditor = not {"auditor", "admin"}.isdisjoint(caller.scopes)
    if person != person_of(caller) and (not is_auditor or caller.is_limited):
        raise HttpError(403, "people see only who asked about themselves", code="role")
    return await desk.blocking(questions, desk, person, query.min_position)
