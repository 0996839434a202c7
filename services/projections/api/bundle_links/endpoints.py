"""Bundles of pages by the link in their message: see them, take all that wait.

A GET changes nothing. Taking is, incident by incident, what the link of its page does:
two commands whose credential is such a link, which the owners of the streams verify.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from services.projections.api.answers import PRIVATE, body_of, refusals
from services.projections.api.bundle_links.schemas import (
    BundleAnswer,
    BundleAnswerBody,
    BundleToAnswer,
)
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.page_links.endpoints import commands_of, seen_page
from services.projections.api.page_links.schemas import PageAnswerBody, PageToAnswer
from services.projections.api.query_params import Nothing, PreferredLanguage
from services.projections.reads.middleware import name_reader
from services.projections.snapshots import snapshot
from shared.bundles import bundle_behind, pages_in, read_bundle_link
from shared.http.bodies import read_object, validated
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.messaging.commands import CommandAnswer
from shared.security.signed_links import (
    BUNDLE_LINKS_PURPOSE,
    PAGE_LINKS_PURPOSE,
    TOKEN_MAX,
    BundleLink,
    PageLink,
    token_of,
)

router = APIRouter(tags=["bundle links"])

AT_ONCE_MAX = 5
"""Incidents of one bundle that are taken at the same time."""
_REFUSED = frozenset({400, 403, 404, 409, 422})
"""Statuses of answers that stay so: another incident may be taken all the same."""
Token = Annotated[
    str,
    Path(max_length=TOKEN_MAX, description="The end of the address in the message."),
]


@router.get("/v1/bundle-links/{token}", responses=refusals(403, 404, 429))
async def see_bundle(
    token: Token,
    _asked: Annotated[Nothing, Query()],
    liked: PreferredLanguage,
    desk: DeskHere,
    request: Request,
    response: Response,
) -> BundleToAnswer:
    """Show the pages of a bundle to the person who was sent it; changes nothing."""
    link = _link(desk, token)
    desk.user_limits.read(link.bundle, link.person)
    response.headers.update(PRIVATE)
    pages = await desk.blocking(_seen, desk, link, liked)
    refs = {page.incident for page, _ in pages}
    name_reader(request, f"person:{link.person}", *refs)
    shown = sorted((page for _, page in pages), key=lambda page: page.priority)
    waiting = sum(page.state == "waiting" for page in shown)
    return BundleToAnswer(pages=shown, waiting=waiting, language=shown[0].language)


@router.post(
    "/v1/bundle-links/{token}",
    responses=refusals(400, 403, 404, 413, 415, 429),
    openapi_extra=body_of(BundleAnswerBody),
)
async def answer_bundle(
    token: Token, request: Request, desk: DeskHere, response: Response
) -> BundleAnswer:
    """Take each incident of a bundle that waits, as the person who was sent it.

    Like the link of its page it accepts an incident, then acknowledges it. If only a
    part was done, the same answer completes it.
    """
    link = _link(desk, token)
    desk.user_limits.answer(link.bundle, link.person)
    body = validated(BundleAnswerBody, await read_object(request), "answer")
    pages = await desk.blocking(_seen, desk, link, "en")
    at_once = asyncio.Semaphore(AT_ONCE_MAX)

    async def took(page: PageLink, state: str) -> bool:
        if state != "waiting":
            return state == "yours"
        async with at_once:
            return await _took(desk, page, body.key)

    taken = await asyncio.gather(*(took(page, seen.state) for page, seen in pages))
    refs = [page.incident for page, _ in pages]
    response.headers.update(PRIVATE)
    return BundleAnswer(
        taken=[ref for ref, is_taken in zip(refs, taken, strict=True) if is_taken],
        not_taken=[
            ref for ref, is_taken in zip(refs, taken, strict=True) if not is_taken
        ],
    )


def _link(desk: Desk, token: str) -> BundleLink:
    keys = desk.log.vault.keys_for(BUNDLE_LINKS_PURPOSE)
    return read_bundle_link(keys, token, desk.clock())


async def _took(desk: Desk, page: PageLink, key: str) -> bool:
    """Take an incident; tell whether its person has it now.

    Raises `HttpError` if nothing could be decided: the same answer asks again.
    """
    signing = desk.log.vault.key_for(PAGE_LINKS_PURPOSE)
    if signing is None:
        raise HttpError(503, "the vault is away: press it again", retry_after=1)
    # An idempotency key is valid for one command, so each incident gets its own.
    answer = PageAnswerBody(action="take", key=key)
    try:
        for aggregate, verb, message in commands_of(
            answer, page, token_of(signing, page)
        ):
            own = f"{page.incident}.{message.idempotency_key}"
            asked = message.model_copy(update={"idempotency_key": own})
            await desk.owner.ask(aggregate, verb, asked, CommandAnswer)
    except HttpError as refusal:
        if refusal.details.status not in _REFUSED:
            raise
        return False
    return True


def _seen(
    desk: Desk, link: BundleLink, liked: Language
) -> Sequence[tuple[PageLink, PageToAnswer]]:
    """Return the pages of a bundle that its reader may answer. Raises `HttpError`.

    What is refused about one page is refused only if there is no other.
    """
    with snapshot(desk.log) as cursor:
        bundle = bundle_behind(desk.log, cursor, link)
        pages = pages_in(desk.log, cursor, bundle)
    found: list[tuple[PageLink, PageToAnswer]] = []
    refusal = HttpError(404, "this link is no longer valid", code="unknown_link")
    for page in pages:
        try:
            found.append((page, seen_page(desk, page, liked)))
        except HttpError as error:
            refusal = error
    if not found:
        raise refusal
    return found
