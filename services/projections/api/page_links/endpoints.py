"""Answers to pages by the link in them: see the page, take it, decline, page another.

A GET changes nothing, so a mail scanner that opens links answers nothing. Each answer
is a command with the link as its credential: the owner of the stream verifies it again.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from services.projections.api.answers import PRIVATE, body_of, refusals
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.page_links.schemas import PageAnswerBody, PageToAnswer
from services.projections.api.page_links.views import page_to_answer
from services.projections.api.query_params import Nothing, PreferredLanguage
from services.projections.log_queries import policy_in_force
from services.projections.reads.middleware import name_reader
from services.projections.snapshots import snapshot
from shared.directory import person as person_named
from shared.domain.commands.escalation import DeclinePage, PageAnother, TakePage
from shared.domain.commands.incident import Acknowledge
from shared.domain.events import is_incident_event
from shared.domain.incident import replay
from shared.http.bodies import read_object, validated
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.i18n.formats import language_of
from shared.messaging.commands import CommandAnswer, CommandMessage, Credential
from shared.security.page_links import page_history, read_page_link, require_right
from shared.security.signed_links import PAGE_LINKS_PURPOSE, TOKEN_MAX, PageLink

router = APIRouter(tags=["page links"])

Token = Annotated[
    str, Path(max_length=TOKEN_MAX, description="The end of the address in the page.")
]
_Command = tuple[str, str, CommandMessage[dict[str, Any]]]
"""An aggregate, a verb, and the message for the owner."""


@router.get("/v1/page-links/{token}", responses=refusals(403, 404, 429))
async def see_page(
    token: Token,
    _asked: Annotated[Nothing, Query()],
    liked: PreferredLanguage,
    desk: DeskHere,
    request: Request,
    response: Response,
) -> PageToAnswer:
    """Show a page to the person who was paged; this changes nothing."""
    link = _link(desk, token)
    desk.user_limits.read(link.page, link.person)
    name_reader(request, f"person:{link.person}", link.incident)
    response.headers.update(PRIVATE)
    return await desk.blocking(seen_page, desk, link, liked)


@router.post(
    "/v1/page-links/{token}",
    responses=refusals(400, 403, 404, 409, 413, 415, 429),
    openapi_extra=body_of(PageAnswerBody),
)
async def answer_page(
    token: Token, request: Request, desk: DeskHere, response: Response
) -> CommandAnswer:
    """Answer a page as the person who was paged.

    `take` accepts the incident, then acknowledges it. If only the first was done, the
    same answer completes it. The outcome is `already` if that person has it.
    """
    link = _link(desk, token)
    desk.user_limits.answer(link.page, link.person)
    body = validated(PageAnswerBody, await read_object(request), "answer")
    answers = [
        await desk.owner.ask(aggregate, verb, message, CommandAnswer)
        for aggregate, verb, message in commands_of(body, link, token)
    ]
    response.headers.update(PRIVATE)
    new = (each for each in answers if each.outcome == "recorded")
    return next(new, answers[0])


def _link(desk: Desk, token: str) -> PageLink:
    keys = desk.log.vault.keys_for(PAGE_LINKS_PURPOSE)
    return read_page_link(keys, token, desk.clock())


def commands_of(
    answer: PageAnswerBody, link: PageLink, token: str
) -> Iterator[_Command]:
    """Yield the commands of an answer.

    It is accepted first: one person has it even if others answer at the same time, and
    only that person acknowledges it.
    """
    credential = Credential(kind="page_link", secret=token)

    def message(verb: str, **body: str) -> CommandMessage[dict[str, Any]]:
        return CommandMessage[dict[str, Any]](
            incident=link.incident,
            credential=credential,
            idempotency_key=f"{answer.key}.{verb}",
            body=body,
        )

    match answer.action:
        case "take":
            verb = TakePage.verb
            taken = message(verb, page=link.page, via="link")
            yield TakePage.aggregate, verb, taken
            yield "incident", Acknowledge.verb, message(Acknowledge.verb)
        case "decline":
            verb = DeclinePage.verb
            yield DeclinePage.aggregate, verb, message(verb, page=link.page)
        case "another":
            verb = PageAnother.verb
            yield PageAnother.aggregate, verb, message(verb, page=link.page)


def seen_page(desk: Desk, link: PageLink, liked: Language) -> PageToAnswer:
    """Return what a link shows. Raises `HttpError`; blocks."""
    with snapshot(desk.log) as cursor:
        require_right(desk.log, cursor, link, desk.clock())
        history = [e.event for e in page_history(desk.log, cursor, link.incident)]
        who = person_named(cursor, link.person)
        policy = policy_in_force(desk.log, cursor)
    incident = replay(event for event in history if is_incident_event(event))
    if incident is None or policy is None:
        raise HttpError(404, "this link is no longer valid", code="unknown_link")
    names = policy.service(incident.service).name
    language = language_of(who.language if who else None, liked)
    try:
        return page_to_answer(link, incident, history, names, language)
    except LookupError as error:
        raise HttpError(
            404, "this link is no longer valid", code="unknown_link"
        ) from error
