"""What the pages behind a link in a mail share. They need no account, script or cookie.

The address contains the key, so no page is cached, indexed or sent as a referrer.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from services.projections.web import csrf
from services.projections.web.api_client import ApiError, client_of
from services.projections.web.rendering import page, refused_text
from shared.http.bodies import read_object
from shared.i18n.catalog import Language, text_of
from shared.i18n.formats import is_language
from shared.web.language import language_of

PRIVATE: Mapping[str, str] = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
NOT_FROM_THE_PAGE = ApiError(
    HTTPStatus.FORBIDDEN,
    "form",
    "this did not come from the button on this page: press it again",
)

KEY_BYTES = 24


@dataclass(frozen=True, slots=True)
class LinkPage:
    """The page behind a kind of link: its template, and its path here and in the API.

    `answerable` are the states in which its button answers; None if it has no state.
    `outcomes` are those that an address may have, once the form was taken.
    """

    template: str
    place: str
    path: str
    answerable: frozenset[str] | None = None
    outcomes: frozenset[str] = frozenset()

    def place_of(self, token: str) -> str:
        """Return the address of the page of a link."""
        return f"{self.place}/{quote(token, safe='')}"

    def path_of(self, token: str) -> str:
        """Return the path of the API at which it is read and answered."""
        return f"{self.path}/{quote(token, safe='')}"

    def says_why(self, error: ApiError, seen: Mapping[str, Any] | None) -> bool:
        """Return whether the page itself says why there is nothing to answer."""
        if error.status != HTTPStatus.CONFLICT or seen is None:
            return False
        return self.answerable is not None and seen["state"] not in self.answerable


async def shown_page(
    request: Request,
    link: LinkPage,
    token: str,
    error: ApiError | None = None,
    **more: object,
) -> Response:
    """Return the page of a link, with the reason if an answer was not taken."""
    language = language_of(request)
    seen = None
    try:
        seen = await _read(request, link, token, language)
    except ApiError as unknown:
        error = error or unknown
    language = own_language(seen, request, language)
    if error is not None and link.says_why(error, seen):
        error = None
    done, place = request.query_params.get("done", ""), link.place_of(token)
    shown = page(
        link.template,
        language,
        error.status if error else HTTPStatus.OK,
        seen=seen,
        why=refused_text(error.code or "", language, str(error)) if error else "",
        done=done if done in link.outcomes and not error else "",
        key=secrets.token_urlsafe(KEY_BYTES),
        csrf=csrf.token_for(token),
        place=place,
        action=in_chosen_language(request, place),
        **more,
    )
    shown.headers.update(PRIVATE)
    return shown


async def pressed_in_chat(
    request: Request,
    link: LinkPage,
    token: str,
    sentence_of: Callable[[Mapping[str, Any]], str],
    *,
    sends_context: bool = True,
) -> Response:
    """Handle a button in Mattermost; only the person who pressed it sees the reply.

    https://developers.mattermost.com/integrate/plugins/interactive-messages/
    """
    given = (await read_object(request)).get("context")
    body = given if sends_context and isinstance(given, dict) else {}
    language = language_of(request)
    try:
        seen = await _read(request, link, token, language)
        language = own_language(seen, request, language)
        answer = await client_of(request).post(link.path_of(token), body)
        reply = text_of(language, "voice", sentence_of(answer))
    except ApiError as error:
        reply = refused_text(error.code or "", language, str(error))
    return JSONResponse({"ephemeral_text": reply}, headers=PRIVATE)


async def _read(
    request: Request, link: LinkPage, token: str, language: Language
) -> Mapping[str, Any]:
    headers = {"Accept-Language": language}
    return await client_of(request).get(link.path_of(token), {}, headers)


def form_of(raw: bytes, fields_max: int) -> dict[str, str]:
    """Return the fields of a form, each once; none of a form with too many."""
    try:
        fields = parse_qs(raw.decode("ascii", "replace"), max_num_fields=fields_max)
    except ValueError:
        fields = {}
    return {name: values[0] for name, values in fields.items()}


def is_genuine(request: Request, token: str, form: Mapping[str, str]) -> bool:
    """Return whether a form came from the page of this link, and no other site."""
    given, own = form.get(csrf.FIELD, ""), csrf.token_for(token)
    same = hmac.compare_digest(given.encode(), own.encode())
    return same and not csrf.is_from_elsewhere(request)


def own_language(
    seen: Mapping[str, Any] | None, request: Request, liked: Language
) -> Language:
    """Return the reader's own language, unless they have just chosen another."""
    own = seen["language"] if seen is not None else None
    chosen = request.query_params.get("lang")
    return own if is_language(own) and not is_language(chosen) else liked


def in_chosen_language(request: Request, place: str, **query: str) -> str:
    """Return an address of the page, in the language that its reader has chosen."""
    chosen = request.query_params.get("lang")
    if is_language(chosen):
        query["lang"] = chosen
    return f"{place}?{urlencode(query)}" if query else place


def back_to(request: Request, place: str, **query: str) -> RedirectResponse:
    """Return the answer that leads back to the page once a form was taken."""
    return RedirectResponse(
        in_chosen_language(request, place, **query),
        HTTPStatus.SEE_OTHER,
        {**PRIVATE, "Cache-Control": "no-store"},
    )
