"""The page behind the link in every mail to a user: one incident, without an account.

It needs no script and no cookie. Only a button acts, so a program that opens every link
in a mail cannot. What is not sent is shown again, as it was written.
"""

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.api_client import ApiError, client_of
from services.projections.web.link_pages import (
    PRIVATE,
    back_to,
    form_of,
    own_language,
)
from services.projections.web.rendering import page
from shared.http.bodies import read_body
from shared.http.error_responses import place_of, problem_of
from shared.i18n.catalog import Language
from shared.web.language import keep_language, language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

BYTES_MAX = 100_000
"""10 000 characters, each at worst encoded as `%F0%9F%98%A1`."""
FIELDS_MAX = 10
_DONE = frozenset({"words", "solved", "not_solved", "accept", "refuse"})


@dataclass(frozen=True)
class _Sent:
    """A submitted form; `words` are shown again if it was refused."""

    key: str
    action: str = ""
    words: str = ""
    extension: str = ""

    @property
    def body(self) -> dict[str, str]:
        """The body for the API: without what is empty."""
        given = {
            "key": self.key,
            "action": self.action,
            "words": self.words,
            "extension": self.extension,
        }
        return {name: value for name, value in given.items() if value}


@router.get("/my/{token}")
async def get_incident(request: Request, token: str) -> Response:
    """Show the incident to its user."""
    shown = await _shown(request, token, _Sent(_new_key()))
    keep_language(request, shown)
    return shown


@router.post("/my/{token}")
async def post_act(request: Request, token: str) -> Response:
    """Act as the user, then lead back to the page."""
    sent = _Sent(_new_key())
    try:
        sent = _sent(await read_body(request, BYTES_MAX))
        await client_of(request).post(_path(token), sent.body)
    except ApiError as error:
        return await _shown(request, token, sent, error)
    except Exception as error:  # noqa: BLE001 # too large, or cut off: a page says so
        details = problem_of(error, place_of(request)).details
        no = ApiError(details.status, details.code, details.detail)
        return await _shown(request, token, sent, no)
    return back_to(request, f"/my/{quote(token, safe='')}", done=sent.action)


def _sent(raw: bytes) -> _Sent:
    fields = form_of(raw, FIELDS_MAX)

    def one(name: str) -> str:
        return fields.get(name, "").strip()

    # A browser ends lines of a text area with CR and LF.
    words = one("words").replace("\r\n", "\n")
    return _Sent(one("key") or _new_key(), one("action"), words, one("extension"))


async def _shown(
    request: Request, token: str, sent: _Sent, error: ApiError | None = None
) -> Response:
    language = language_of(request)
    seen = None
    try:
        seen = await client_of(request).get(_path(token), {})
    except ApiError as unknown:
        error = error or unknown
    language = own_language(seen, request, language)
    done = request.query_params.get("done", "")
    shown = page(
        "user.html",
        language,
        error.status if error else HTTPStatus.OK,
        seen=seen,
        why=_why(language, error) if error else "",
        done=done if done in _DONE and not error else "",
        sent=sent,
        token=token,
        place=f"/my/{quote(token, safe='')}",
    )
    shown.headers.update(PRIVATE)
    return shown


def _why(language: Language, error: ApiError) -> str:
    """Return why it was refused, in the user's language: which field, if known."""
    field = next((each for each in error.fields if each == "words"), None)
    if error.status == HTTPStatus.UNPROCESSABLE_ENTITY and field:
        return refusal_text(language, field)
    return refusal_text(language, error.code, str(error))


def _path(token: str) -> str:
    return f"/v1/user-pages/{quote(token, safe='')}"


def _new_key() -> str:
    return secrets.token_urlsafe(24)
