"""The pages: queues, load, single incidents, sign-in and sign-out.

The browser keeps the token in a cookie. Only pages and the event stream read it, and
browsers never send it from another site, so it cannot be abused for commands (CSRF).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match

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
    """Return the token in the browser's cookie, None without a cookie."""
    return request.cookies.get(COOKIE) or None


def keep_token(request: Request, response: Response, token: str) -> None:
    """Store `token` in a cookie for one shift, inaccessible to scripts."""
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
    """Delete the token's cookie."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def is_from_elsewhere(request: Request) -> bool:
    """Return whether another site made the browser send this request.

    Over HTTPS browsers state it; otherwise only the origin of a form is known.
    """
    site = request.headers.get("sec-fetch-site", "none")
    if site != "none":
        return site != "same-origin"
    origin = request.headers.get("origin")
    if origin is None:  # not a browser
        return False
    public: str = request.app.state.desk.public_url
    ours = {
        request.headers.get("host", "").lower(),
        urlsplit(public).netloc.lower(),
    } - {""}
    return urlsplit(origin).netloc.lower() not in ours


router = APIRouter(include_in_schema=False)

FORM_BYTES_MAX = 4_096
ONWARD_MAX = 1_000
"""An address after sign-in: written in a form it is at most three times as long."""
_ADDRESS = re.compile(r"/(?!/)[!-~]*")
"""The path and the query of this site: no host, no control characters."""
SOLUTIONS_MAX = 5
"""How many solution notes are shown with an incident."""
_KEPT_OUT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_TYPES = " ".join(sorted(EVENT_TYPES))

_TOLD = {"order": "newest", "messages": "newest", "names": "true"}
"""The parameters with which the page reads a timeline."""
_PEOPLE = ("assignee", "accepted_by", "reporter")

Show = Callable[[Request, ApiClient], Awaitable[Response]]


@router.get("/")
async def get_queue(request: Request) -> Response:
    """Show a queue, and the counts of the others."""
    return await _let_in(request, _queue)


@router.get("/load")
async def get_load(request: Request) -> Response:
    """Show the load of each team."""
    return await _let_in(request, _load)


@router.get("/incidents/{ref}")
async def get_incident(request: Request, ref: str) -> Response:
    """Show an incident and its timeline."""
    return await _let_in(request, partial(_incident, ref))


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Check a token and store it in a cookie; it is never shown again."""
    form = parse_qs((await read_body(request, FORM_BYTES_MAX)).decode("latin-1"))
    token = form.get("token", [""])[0].strip()
    onward = _inside(form.get("next", ["/"])[0])
    language = language_of(request)
    if is_from_elsewhere(request):
        return _door(request, onward, LANGUAGES[language]["no.elsewhere"])
    try:
        await ApiClient(request.app, token).get("/v1/queues", {})
    except Refused as no:
        if no.status in _KEPT_OUT:
            return _door(request, onward, refusal(language, no.code, str(no)))
        # It cannot be checked at the moment; every page checks it again.
    entered = RedirectResponse(onward, HTTPStatus.SEE_OTHER)
    keep_token(request, entered, token)
    return entered


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Delete the token's cookie."""
    onward = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    if not is_from_elsewhere(request):
        forget_token(onward)
    return onward


@router.get("/assets/{name}")
async def get_asset(name: str) -> Response:
    """Return a style sheet or script."""
    found = asset(name)
    if found is None:
        raise HttpError(404, f"there is nothing at /assets/{name[:64]}")
    return found


async def _let_in(request: Request, show: Show) -> Response:
    """Return the page of `show`, the sign-in page, or an error page."""
    token, language = token_of(request), language_of(request)
    wanted = _address(request)
    try:
        shown = (
            await show(request, ApiClient(request.app, token))
            if token
            else _door(request, wanted)
        )
    except Refused as no:
        why = refusal(language, no.code, str(no))
        if no.status in _KEPT_OUT:
            shown = _door(request, wanted, why)
        else:
            shown = page("desk.html", language, no.status, screen="refused", why=why)
    keep_language(request, shown)
    return shown


def _door(request: Request, onward: str, why: str = "") -> Response:
    """Return the sign-in page; it leads on to `onward`, and so do its languages."""
    place, _, query = onward.partition("?")
    given = parse_qsl(query, keep_blank_values=True)
    return page(
        "desk.html",
        language_of(request),
        HTTPStatus.UNAUTHORIZED,
        screen="door",
        why=why,
        onward=onward,
        place=place,
        query=urlencode([(name, value) for name, value in given if name != "lang"]),
    )


def _address(request: Request) -> str:
    """Return the path and the query of a request, to come back to."""
    path: str = request.scope["raw_path"].decode("latin-1")
    query: str = request.scope["query_string"].decode("latin-1")
    whole = f"{path}?{query}" if query else path
    return _inside(whole if len(whole) <= ONWARD_MAX else path)


def _inside(address: str) -> str:
    """Return `address` if it is a page of this site: no redirects to other sites."""
    if len(address) > ONWARD_MAX or not _ADDRESS.fullmatch(address):
        return "/"
    path = address.partition("?")[0]
    if "\\" in path or "#" in address:
        return "/"
    asked = {"type": "http", "method": "GET", "path": path}
    shown = (route.matches(asked)[0] is Match.FULL for route in router.routes)
    return address if any(shown) else "/"


async def _queue(request: Request, asker: ApiClient) -> Response:
    given = request.query_params
    kept = kept_query(given.multi_items())
    if ref := await _reference(given.get("q", ""), asker):
        # Without the words: the back button would lead here again.
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
    """Return the incident if a search is its complete reference, and it exists."""
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
    """Return solution notes on the service of an open incident.

    None are returned while they cannot be counted: the incident is shown without them.
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
