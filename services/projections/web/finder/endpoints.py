"""One box that finds everything: Ctrl-K on any page, or a page of its own.

The actions of a page are found by the page itself, which has their forms.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.api_client import ApiClient, owner_of
from services.projections.web.people.visitor import SEERS
from services.projections.web.person_field import PROPOSED_MAX, people_like
from services.projections.web.rendering import page, record_place
from services.projections.web.screens import screen
from shared.security.sender import GIVERS, READERS, REVIEWERS
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

FOUND_MAX = 6
"""How many of each kind are shown."""
WORDS_MAX = 200
PAGES: Mapping[str, str] = {
    "queues": "/",
    "mine": "/?queue=mine",
    "unassigned": "/?queue=unassigned",
    "call": "/contacts/new",
    "load": "/load",
    "figures": "/figures",
    "on_call": "/on-call",
    "own_shifts": "/on-call/mine",
    "sessions": "/sessions",
    "contact_methods": "/me/contact-methods",
}
"""The address of each page, by the name of its text in the catalog."""
FOR_READERS: Mapping[str, str] = {
    "quarantine": "/quarantine",
    "parked": "/parked",
    "sources": "/sources",
    "heartbeats": "/heartbeats",
    "maintenance": "/maintenance",
    "handovers": "/handovers",
    "reviews": "/reviews",
    "review_actions": "/reviews/actions?mine=1",
    "policy": "/policy",
    "month_reports": "/month-reports",
}
FOR_REVIEWERS: Mapping[str, str] = {
    "people": "/people",
    "review": "/people/review",
    "surveys": "/surveys",
}
FOR_AUDITORS: Mapping[str, str] = {
    "audit": "/audit",
    "audit_chain": "/audit/chain",
    "audit_sample": "/audit/sample",
}
FOR_GIVERS: Mapping[str, str] = {"invitations": "/people/invitations"}
FOR_ADMINS: Mapping[str, str] = {
    "import": "/people/import",
    "all_sessions": "/sessions?everybody=1",
}
_KINDS = (
    "incident",
    "solution",
    "problem",
    "change",
    "record",
    "person",
    "service",
)
"""What has a page of its own, or a queue."""
STATUSES = ("all", "open", "ended")
"""Which records are searched: open ones, ended ones, or both."""


@router.get("/find")
async def get_found(request: Request) -> Response:
    """Show what the words find, or all pages without words."""
    return await screen(request, _find)


@router.get("/find/people")
async def get_people(request: Request) -> Response:
    """Show people whom the words may mean, for a field that names a person."""
    return await screen(request, _people)


async def _people(request: Request, client: ApiClient) -> Response:
    found = await people_like(client, request.query_params.get("q", ""))
    people = found[:PROPOSED_MAX]
    return page("person_options.html", language_of(request), people=people)


async def _find(request: Request, client: ApiClient) -> Response:
    language = language_of(request)
    words = request.query_params.get("q", "").strip()[:WORDS_MAX]
    me = await client.get("/v1/me", {})
    scopes = frozenset(me["scopes"])
    wanted = request.query_params.get("status", "")
    status = wanted if wanted in STATUSES else "all"
    hits: Sequence[Mapping[str, Any]] = ()
    if not words:
        hits = await _own_next(client)
    else:
        asked: dict[str, str | list[str]] = {"q": words, "kind": list(_KINDS)}
        asked |= {"limit": str(FOUND_MAX), "status": status}
        hits = (await client.get("/v1/search", asked))["items"]
    return page(
        "find.html",
        language,
        q=words,
        found_status=status,
        hits=[(hit, _place(hit, scopes)) for hit in hits],
        pages=_pages(scopes),
        **owner_of(me),
        place="/find",
        query=urlencode({"q": words, "status": status}) if words else "",
    )


async def _own_next(client: ApiClient) -> Sequence[Mapping[str, Any]]:
    """Return the visitor's own open incidents, the most urgent first."""
    asked = {"limit": str(FOUND_MAX)}
    found = await client.get("/v1/queues/mine/incidents", asked)
    return [
        {
            "id": row["ref"],
            "kind": "incident",
            "title": row["title"],
            "status": row["status"],
        }
        for row in found["items"]
    ]


def _pages(scopes: AbstractSet[str]) -> Mapping[str, str]:
    """Return the pages that somebody with these scopes may see."""
    read = {} if scopes.isdisjoint(READERS) else FOR_READERS
    reviewed = FOR_REVIEWERS if not scopes.isdisjoint(REVIEWERS) else {}
    given = {} if scopes.isdisjoint(GIVERS) else FOR_GIVERS
    audited = {} if scopes.isdisjoint({"auditor", "admin"}) else FOR_AUDITORS
    owned = FOR_ADMINS if "admin" in scopes else {}
    return {**PAGES, **read, **reviewed, **audited, **given, **owned}


def _place(hit: Mapping[str, Any], scopes: AbstractSet[str]) -> str:
    """Return the address at which a hit is shown."""
    match hit["kind"]:
        case "person" if not SEERS.isdisjoint(scopes):
            return f"/person/{quote(hit['id'], safe='')}"
        case "person":
            return f"/?{urlencode({'reporter': hit['id']})}"
        case "service":
            return f"/?{urlencode({'service': hit['id']})}"
        case "problem" | "change" | "record":
            return record_place(hit["id"]) or "/"
        case _:
            return f"/incidents/{quote(hit['id'], safe='')}"
