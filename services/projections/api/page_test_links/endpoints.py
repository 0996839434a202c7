"""Answers to page tests by the link in a message: see the test, answer once.

A GET changes nothing, so a mail scanner that opens links answers nothing. The answer is
a command with the link as its credential: the owner of the stream verifies it again.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime

from services.projections.api.answers import PRIVATE, Answer, refusals
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.query_params import Nothing, PreferredLanguage
from services.projections.snapshots import snapshot
from shared.directory import person as person_named
from shared.domain.commands.page_test import AnswerPageTest, PageTestConfirmation
from shared.domain.identifiers import PageTestRef
from shared.domain.page_test import PageTest
from shared.http.bodies import read_object
from shared.i18n.catalog import Language
from shared.i18n.formats import language_of
from shared.messaging.commands import CommandMessage, Credential
from shared.security.page_test_links import read_page_test_link, tested_by
from shared.security.signed_links import (
    PAGE_TEST_LINKS_PURPOSE,
    TOKEN_MAX,
    PageTestLink,
)

router = APIRouter(tags=["page test links"])

Token = Annotated[
    str,
    Path(max_length=TOKEN_MAX, description="The end of the address in the message."),
]


class PageTestToAnswer(Answer):
    """A page test, as its person sees it without signing in."""

    test: PageTestRef
    state: Literal["open", "answered", "expired"]
    requested_at: AwareDatetime
    expires_at: AwareDatetime
    language: Language


@router.get("/v1/page-test-links/{token}", responses=refusals(404, 429))
async def see_page_test(
    token: Token,
    _asked: Annotated[Nothing, Query()],
    liked: PreferredLanguage,
    desk: DeskHere,
    response: Response,
) -> PageTestToAnswer:
    """Show a page test to the person who is tested; this changes nothing."""
    link = _link(desk, token)
    desk.user_limits.read(link.test, link.person)
    response.headers.update(PRIVATE)
    return await desk.blocking(_seen, desk, link, liked)


@router.post(
    "/v1/page-test-links/{token}", responses=refusals(400, 403, 404, 409, 413, 415, 429)
)
async def answer_page_test(
    token: Token, request: Request, desk: DeskHere, response: Response
) -> PageTestConfirmation:
    """Answer that a message reached you: the outcome of a later answer is `already`.

    The body is an empty object; a button in a chat may send its own.
    """
    link = _link(desk, token)
    desk.user_limits.answer(link.test, link.person)
    await read_object(request)
    message = CommandMessage[dict[str, Any]](
        credential=Credential(kind="page_test_link", secret=token),
        body={"test": link.test},
    )
    answer = await desk.owner.ask(
        AnswerPageTest.aggregate, AnswerPageTest.verb, message, PageTestConfirmation
    )
    response.headers.update(PRIVATE)
    return answer


def _link(desk: Desk, token: str) -> PageTestLink:
    return read_page_test_link(desk.log.vault.keys_for(PAGE_TEST_LINKS_PURPOSE), token)


def _seen(desk: Desk, link: PageTestLink, liked: Language) -> PageTestToAnswer:
    with snapshot(desk.log) as cursor:
        test = tested_by(desk.log, cursor, link)
        who = person_named(cursor, link.person)
    return PageTestToAnswer(
        test=test.id,
        state=_state(desk, test),
        requested_at=test.requested_at,
        expires_at=test.expires_at,
        language=language_of(who.language if who else None, liked),
    )


def _state(desk: Desk, test: PageTest) -> Literal["open", "answered", "expired"]:
    if test.answered_at is not None:
        return "answered"
    return "expired" if test.is_over(desk.clock()) else "open"
