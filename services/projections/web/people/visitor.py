"""Who looks at the screens for people, and what the API answers them.

Who may not see a screen is told so on a page of its own, with the status 403: they are
signed in, so the sign-in page would not help.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.api_client import (
    ApiClient,
    ApiError,
    owner_of,
    person_of,
)
from services.projections.web.rendering import page, refusal_of
from services.projections.web.screens import Show, screen
from shared.i18n.catalog import Language
from shared.i18n.details import detail_text
from shared.security.sender import COMMANDERS, GIVERS, REVIEWERS
from shared.web.language import language_of
from shared.web.rendering import as_sentence, refusal_text

DIGITS_MAX = 6
"""Of the number of the first row of a page; no page links to a longer one."""
SEERS = frozenset((*REVIEWERS, "agent"))
"""Who may see a person: agents what the directory has, reviewers also the rights."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """The visitor of a screen: their id, scopes and time zone.

    `head` is what the head of the page says of them.
    """

    person: str
    scopes: frozenset[str]
    zone: str
    head: Mapping[str, Any]

    @property
    def may_review(self) -> bool:
        """Whether the list of people, and what each may do, is for them."""
        return not self.scopes.isdisjoint(REVIEWERS)

    @property
    def may_command(self) -> bool:
        """Whether contacts with people and corrections of them are worth offering."""
        return not self.scopes.isdisjoint(COMMANDERS)

    @property
    def may_give(self) -> bool:
        """Whether forms that give and withdraw rights are worth showing."""
        return not self.scopes.isdisjoint(GIVERS)

    @property
    def is_admin(self) -> bool:
        """Whether imports, removals and sessions of others are worth showing."""
        return "admin" in self.scopes


async def visitor_of(client: ApiClient) -> Visitor:
    """Return who is signed in. Raises `ApiError`."""
    me = await client.get("/v1/me", {})
    person = person_of(me["actor"])
    return Visitor(person, frozenset(me["scopes"]), me["zone"], owner_of(me))


def why_not(language: Language, error: ApiError) -> tuple[str, str]:
    """Return why the API refused something, and its own sentence if that says more.

    It says more where the language of the page has no text for the sentence itself.
    """
    why, sentence = refusal_of(language, error), as_sentence(str(error))
    is_said = why == sentence or detail_text(language, str(error)) is not None
    return why, "" if is_said else sentence


async def people_screen(request: Request, show: Show) -> Response:
    """Return the screen of `show`, or a page that says who may see it."""

    async def shown(request: Request, client: ApiClient) -> Response:
        try:
            return await show(request, client)
        except ApiError as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
            language = language_of(request)
            why = refusal_text(language, "not_for_you")
            return page(
                "refused.html", language, error.status, why=why, again="/", place="/"
            )

    return await screen(request, shown)


async def allowed_items(
    client: ApiClient, path: str, asked: Mapping[str, str | list[str]]
) -> Sequence[Mapping[str, Any]] | None:
    """Return the items at a path, None if the visitor may not see them."""
    try:
        found = await client.get(path, asked)
    except ApiError as error:
        if error.status == HTTPStatus.FORBIDDEN:
            return None
        raise
    items: Sequence[Mapping[str, Any]] = found["items"]
    return items


async def emergency_of(client: ApiClient) -> Mapping[str, Any] | None:
    """Return the state of the break-glass account, None if that is not for them."""
    try:
        return await client.get("/v1/break-glass", {})
    except ApiError as error:
        if error.status == HTTPStatus.FORBIDDEN:
            return None
        raise


async def teams_of_policy(client: ApiClient) -> Sequence[str]:
    """Return the names of the teams, none without a policy."""
    try:
        found = await client.get("/v1/oncall", {})
    except ApiError as error:
        if error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN):
            return ()
        raise
    return [each["team"] for each in found["teams"]]


def number_in(text: str) -> int:
    """Return the number of the first row that an address asks for; 0 without one."""
    is_number = text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
    return int(text) if is_number else 0
