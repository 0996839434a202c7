"""Who looks: the token that a browser keeps in a cookie.

The token's cookie is read by pages and by the stream alone, and is never sent along
from another site: nobody can be made to command by it.

The addresses a browser opens: the queues, one incident, and the door.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.api.log.stream import COOKIE
from services.projections.web.api_client import ApiClient, Refused, names_of
from services.projections.web.rendering import ENDED, FILTERS, asset, kept_query, page
from services.projections.web.words import LANGUAGES, refusal
from shared.domain.events import EVENT_TYPES
from shared.domain.identifiers import is_incident_ref
from shared.domain.incident import AT_WORK
from shared.domain.policy.contracts import UNKNOWN
from shared.http.bodies import read_body
from shared.http.problem_details import HttpError
from shared.web.language import is_https, keep_language, language_of

SHIFT_SECONDS = 12 * 60 * 60


def token_of(request: Request) -> str | None:
    """Return the token that the browser kept, None where it keeps none."""
    return request.cookies.get(COOKIE) or None


def keep_token(request: Request, response: Response, token: str) -> None:
    """Have the browser keep `token` for a shift, out of reach of scripts."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=SHIFT_SECONDS,
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="strict",
    )


def forget_token(response: Response) -> None:
    """Have the browser forget its token."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def is_from_elsewhere(request: Request) -> bool:
    """Tell whether another site made the browser send this.

    A browser says so itself over HTTPS; otherwise only where a form came from.
    """
    site = request.headers.get("sec-fetch-site", "none")
    if site != "none":
        return site != "same-origin"
    origin = request.headers.get("origin")
    if origin is None:  # no browser
        return False
    public: str = request.app.state.desk.public_url
    ours = {
        request.headers.get("host", "").lower(),
        urlsplit(public).netloc.lower(),
    } - {""}
    return urlsplit(origin).netloc.lower() not in ours


router = APIRouter(include_in_schema=False)

FORM_BYTES_MAX = 4_096
SOLUTIONS_MAX = 5
"""How many solution notes are shown beside an incident."""
_KEPT_OUT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_TYPES = " ".join(sorted(EVENT_TYPES))

_TOLD = {"order": "newest", "messages": "newest", "names": "true"}
"""How the page has a story told."""
_PEOPLE = ("assignee", "accepted_by", "reporter")

Show = Callable[[Request, ApiClient], Awaitable[Response]]


@router.get("/")
async def get_queue(request: Request) -> Response:
    """Show a queue, and how much is in the others."""
    return await _let_in(request, _queue)


@router.get("/load")
async def get_load(request: Request) -> Response:
    """Show what each team has to do."""
    return await _let_in(request, _load)


@router.get("/incidents/{ref}")
async def get_incident(request: Request, ref: str) -> Response:
    """Show an incident and its timeline."""
    return await _let_in(request, partial(_incident, ref))


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Have the browser keep a token that may read; it is shown again to nobody."""
    form = parse_qs((await read_body(request, FORM_BYTES_MAX)).decode("latin-1"))
    token = form.get("token", [""])[0].strip()
    language = language_of(request)
    if is_from_elsewhere(request):
        return _door(request, LANGUAGES[language]["no.elsewhere"])
    try:
        await ApiClient(request.app, token).get("/v1/queues", {})
    except Refused as no:
        if no.status in _KEPT_OUT:
            return _door(request, refusal(language, no.code, str(no)))
        # Whether it is good cannot be said at the moment; every page asks again.
    onward = RedirectResponse(_inside(form.get("next", ["/"])[0]), HTTPStatus.SEE_OTHER)
    keep_token(request, onward, token)
    return onward


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Have the browser forget its token."""
    onward = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    if not is_from_elsewhere(request):
        forget_token(onward)
    return onward


@router.get("/assets/{name}")
async def get_asset(name: str) -> Response:
    """Give style or script."""
    found = asset(name)
    if found is None:
        raise HttpError(404, f"there is nothing at /assets/{name[:64]}")
    return found


async def _let_in(request: Request, show: Show) -> Response:
    """Return what `show` makes, or why it makes nothing."""
    token, language = token_of(request), language_of(request)
    try:
        shown = (
            await show(request, ApiClient(request.app, token))
            if token
            else _door(request)
        )
    except Refused as no:
        why = refusal(language, no.code, str(no))
        if no.status in _KEPT_OUT:
            shown = _door(request, why)
        else:
            shown = page("desk.html", language, no.status, screen="refused", why=why)
    keep_language(request, shown)
    return shown


def _door(request: Request, why: str = "") -> Response:
    onward = request.url.path if request.method == "GET" else "/"
    return page(
        "desk.html",
        language_of(request),
        HTTPStatus.UNAUTHORIZED,
        screen="door",
        why=why,
        onward=onward,
    )


def _inside(path: str) -> str:
    """Return `path` if it is one of our pages: nobody is sent on to another site."""
    return path if path.startswith("/incidents/") and path.isascii() else "/"


async def _queue(request: Request, asker: ApiClient) -> Response:
    given = request.query_params
    kept = kept_query(given.multi_items())
    if ref := await _reference(given.get("q", ""), asker):
        # Not with the words: the way back would lead here again.
        back = kept_query((k, v) for k, v in given.multi_items() if k != "q")
        onward = f"?{urlencode({'back': back})}" if back else ""
        return RedirectResponse(f"/incidents/{ref}{onward}", HTTPStatus.SEE_OTHER)
    name = given.get("queue") or "all"
    filters = [(k, v) for k, v in given.multi_items() if k in FILTERS and v]
    asked: dict[str, str | list[str]] = {
        k: given[k] for k in ("q", "cursor", "min_position") if given.get(k)
    }
    asked |= {k: given.getlist(k) for k, _ in filters}
    reached = {k: v for k, v in asked.items() if k == "min_position"}
    me, queues, rows = await asyncio.gather(
        asker.get("/v1/me", {}),
        asker.get("/v1/queues", reached),
        asker.get(f"/v1/queues/{quote(name, safe='')}/incidents", asked),
    )
    return page(
        "desk.html",
        language_of(request),
        screen="queue",
        queues=queues["items"],
        queue=name,
        q=asked.get("q", ""),
        query=kept,
        filters=filters,
        has_ended=any(k == "status" and v in ENDED for k, v in filters),
        ended=urlencode([("status", status) for status in ENDED]),
        rows=rows,
        names=await names_of(asker, (row["assignee"] for row in rows["items"])),
        zone=me["zone"],
        after=rows["as_of"]["position"],
        types=_TYPES,
    )


async def _load(request: Request, asker: ApiClient) -> Response:
    given = request.query_params
    reached = {k: given[k] for k in ("min_position",) if given.get(k)}
    me, found = await asyncio.gather(
        asker.get("/v1/me", {}), asker.get("/v1/load", reached)
    )
    return page(
        "load.html",
        language_of(request),
        screen="load",
        loads=found["items"],
        zone=me["zone"],
        after=found["as_of"]["position"],
        types=_TYPES,
    )


async def _reference(words: str, asker: ApiClient) -> str | None:
    """Return the incident that is searched for by its whole reference, if it exists."""
    ref = words.strip().upper()
    if not is_incident_ref(ref):
        return None
    try:
        await asker.get(f"/v1/incidents/{ref}", {})
    except Refused as no:
        if no.status == HTTPStatus.NOT_FOUND:
            return None
        raise
    return ref


async def _solutions(
    incident: Mapping[str, Any], asker: ApiClient
) -> Sequence[Mapping[str, Any]]:
    """Return what may help with an incident at work: notes on its service.

    None while they cannot be counted: the incident is shown without them.
    """
    if incident["status"] not in AT_WORK or incident["service"] == UNKNOWN:
        return ()
    asked = {"service": incident["service"], "limit": str(SOLUTIONS_MAX)}
    try:
        found = await asker.get("/v1/solutions", asked)
    except Refused:
        return ()
    notes: Sequence[Mapping[str, Any]] = found["items"]
    return notes


async def _incident(ref: str, request: Request, asker: ApiClient) -> Response:
    given = request.query_params
    place = f"/v1/incidents/{quote(ref, safe='')}"
    reached = {k: given[k] for k in ("min_position",) if given.get(k)}
    part = {k: given[k] for k in ("before",) if given.get(k)}
    language = language_of(request)
    me = await asker.get("/v1/me", {})
    told: dict[str, str | list[str]] = {
        **reached,
        **part,
        **_TOLD,
        "lang": language,
        "zone": me["zone"],
    }
    back = kept_query(parse_qsl(given.get("back", "")))
    incident, timeline = await asyncio.gather(
        asker.get(place, reached), asker.get(f"{place}/timeline", told)
    )
    return page(
        "incident.html",
        language,
        screen="incident",
        incident=incident,
        solutions=await _solutions(incident, asker),
        timeline=timeline,
        names=await names_of(asker, (incident[name] for name in _PEOPLE)),
        zone=me["zone"],
        back=back,
        query=urlencode({**part, **({"back": back} if back else {})}),
        after=timeline["as_of"]["position"],
        types=_TYPES,
    )
