"""The screen of a queue: what it asks of the API, and what its template is filled with.

It is shown for a GET, and again around a form that was not accepted.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.saved_views.rules import COLUMNS, USUAL
from services.projections.web.actions import Draft, new_draft, reference_of
from services.projections.web.api_client import (
    ApiClient,
    ApiError,
    names_of,
    owner_of,
)
from services.projections.web.feed import of_queue
from services.projections.web.incident.actions import acknowledging
from services.projections.web.people.visitor import allowed_items
from services.projections.web.queue.bulk_actions import (
    BULK_ACTIONS,
    ROW_ACTIONS,
    offered,
)
from services.projections.web.queue.chips import FILTER, VIEW, Given, chips, with_view
from services.projections.web.rendering import (
    ENDED,
    FILTERS,
    kept_query,
    page,
    refusal_of,
)
from services.projections.web.setup import setup_for
from shared.domain.identifiers import is_incident_ref
from shared.web.language import language_of

LEVELS = ("n1", "n2", "n3")
NO_TEAMS = ("all", "mine", "unassigned")
"""The queues that are not those of a team."""
URGENT = ("p1", "p2")
"""The priorities that a visitor who asked for it hears about."""
_PEOPLE = ("assignee", "reporter")


@dataclass(frozen=True, slots=True)
class Note:
    """What a screen says about a form that was not accepted."""

    why: str = ""
    status: int = HTTPStatus.OK
    values: Mapping[str, str] = field(default_factory=dict)
    """The form to save a view, as it was sent."""


def given_in(query: str) -> Given:
    """Return the parameters of a queue from a query that a form sent back."""
    return parse_qsl(kept_query(parse_qsl(query)))


async def queue_screen(
    request: Request, client: ApiClient, given: Given, note: Note | None = None
) -> Response:
    """Return the screen of a queue with these parameters."""
    if note is None and (onward := await _to_incident(client, given)):
        return onward
    view = await view_of(client, given)
    asked = with_view(given, view)
    name = dict(asked).get("queue") or "all"
    reached = {k: v for k, v in given if k == "min_position"}
    me, queues, views, found = await asyncio.gather(
        client.get("/v1/me", {}),
        client.get("/v1/queues", reached),
        _views(client),
        _rows(client, asked),
    )
    teams = [one["queue"] for one in queues["items"] if one["queue"] not in NO_TEAMS]
    team = None if name in NO_TEAMS else name
    assignees = await _assignees(client, name) if name in teams else ()
    is_empty = not kept_query(given) and not found.rows["items"]
    return page(
        "queue.html",
        language_of(request),
        note.status if note else found.status,
        setup=await setup_for(me["scopes"], client) if is_empty else (),
        queues=queues["items"],
        teams=teams,
        queue=name,
        assignees=assignees,
        views=views,
        note=note or Note(),
        names=await names_of(client, _people(found.rows["items"], assignees)),
        zone=me["zone"],
        may_command=me["may_command"],
        **owner_of(me),
        feed=of_queue(queues["as_of"]["position"], asked, team),
        **_filters(given, asked),
        **_table(request, view, found),
        **await _searched(client, dict(asked), found.rows["items"]),
    )


async def _assignees(client: ApiClient, team: str) -> Sequence[Mapping[str, Any]]:
    """Return who of a team has how much; nothing to those who are not of the team."""
    path = f"/v1/queues/{quote(team, safe='')}/assignees"
    return await allowed_items(client, path, {}) or ()


def _filters(given: Given, asked: Given) -> dict[str, object]:
    """Return what the template shows of the filters: `given`, and with the view's."""
    single = dict(asked)
    done = single.get("done", "")
    return {
        "level": single.get("level", ""),
        "levels": LEVELS,
        "q": single.get("q", ""),
        "query": kept_query(given),
        "filters": [(k, v) for k, v in given if k in FILTERS and v],
        "asked": _choices(asked),
        "chips": chips(given),
        "filter_text": single.get(FILTER, ""),
        "has_ended": any(k == "status" and v in ENDED for k, v in asked),
        "ended": urlencode([("status", status) for status in ENDED]),
        "done": done if done in _DONE else "",
    }


def _table(
    request: Request, view: Mapping[str, Any] | None, found: "_Found"
) -> dict[str, object]:
    """Return what the template shows of the rows, and what can be done with them."""
    items = found.rows["items"]
    return {
        "why": refusal_of(language_of(request), found.error) if found.error else "",
        "view": view,
        "columns": view["columns"] if view else USUAL,
        "all_columns": COLUMNS,
        "rows": found.rows,
        "acts": {
            row["ref"]: _acts(request, row, found.rows["actions"].get(row["ref"], ()))
            for row in items
        },
        "draft": new_draft(request),
        "row_actions": ROW_ACTIONS,
        "acknowledging": acknowledging,
        "bulk_actions": BULK_ACTIONS,
        "urgent": URGENT,
    }


async def _searched(
    client: ApiClient, asked: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> dict[str, object]:
    """Return where the words of a search are in shown rows, and what else has them."""
    q = asked.get("q", "")
    if not q.strip():
        return {}
    places: Mapping[str, object] = {}
    if rows:
        refs = [row["ref"] for row in rows[:HITS_MAX]]
        of_rows: dict[str, str | list[str]] = {"q": q, "ref": refs}
        found = await client.get("/v1/search", of_rows)
        places = {hit["id"]: hit["excerpts"] for hit in found["items"]}
    if "cursor" in asked:
        return {"places": places}
    others: dict[str, str | list[str]] = {
        "q": q,
        "kind": _OTHER_KINDS,
        "limit": str(OTHERS_SHOWN),
    }
    found = await client.get("/v1/search", others)
    shown = {row["ref"] for row in rows}
    # Open incidents are the rows themselves: only ended ones are found beside them.
    also = [
        hit
        for hit in found["items"]
        if hit["kind"] != "incident" or (not hit["open"] and hit["id"] not in shown)
    ]
    return {"places": places, "also_found": also}


HITS_MAX = 50
"""How many rows of a page show where the words of a search are."""
OTHERS_SHOWN = 3
"""How many hits of each other kind are shown beside the incidents."""
_OTHER_KINDS = [
    "incident",
    "solution",
    "problem",
    "change",
    "record",
    "person",
    "service",
]
_DONE = (
    "acknowledge",
    "acknowledge_for_other",
    "acknowledge_only",
    "accept",
    "view_saved",
    "view_deleted",
)
"""What the screen tells that it was done."""


@dataclass(frozen=True, slots=True)
class _Found:
    rows: Mapping[str, Any]
    error: ApiError | None = None
    """Why the filters were refused."""
    status: int = HTTPStatus.OK


def rows_place(asked: Given) -> tuple[str, dict[str, str | list[str]]]:
    """Return the path of the rows of a queue in the API, and the query for them."""
    wanted: dict[str, str | list[str]] = {}
    for key, value in asked:
        if key in FILTERS and value:
            wanted[key] = [*wanted.get(key, ()), value]
        elif key in ("q", "cursor", "min_position") and value:
            wanted[key] = value
    name = dict(asked).get("queue") or "all"
    return f"/v1/queues/{quote(name, safe='')}/incidents", wanted


async def _rows(client: ApiClient, asked: Given) -> _Found:
    """Return the rows; none, with the reason, if the filters are not understood."""
    try:
        return _Found(await client.get(*rows_place(asked)))
    except ApiError as error:
        if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        nothing: dict[str, Any] = {"items": (), "actions": {}, "next_cursor": None}
        return _Found(nothing, error, error.status)


def _acts(
    request: Request, row: Mapping[str, Any], possible: Sequence[str]
) -> Sequence[tuple[object, Draft]]:
    return [(each, new_draft(request, row["version"])) for each in offered(possible)]


def _choices(asked: Given) -> Mapping[str, Sequence[str]]:
    chosen: dict[str, list[str]] = {}
    for name, value in asked:
        chosen.setdefault(name, []).append(value)
    return chosen


def _people(
    items: Iterable[Mapping[str, Any]], assignees: Iterable[Mapping[str, Any]]
) -> Iterable[str | None]:
    of_rows = (row[name] for row in items for name in _PEOPLE)
    return chain(of_rows, (each["person"] for each in assignees))


async def view_of(client: ApiClient, given: Given) -> Mapping[str, Any] | None:
    """Return the view that is opened; None if it is gone or was never shared."""
    name = dict(given).get(VIEW)
    if not name:
        return None
    try:
        return await client.get(f"/v1/views/{quote(name, safe='')}", {})
    except ApiError as error:
        gone = (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)
        if error.status in (*gone, HTTPStatus.FORBIDDEN):
            return None
        raise


async def _views(client: ApiClient) -> Sequence[Mapping[str, Any]]:
    """Return the visitor's views; none for a visitor who may not have any."""
    try:
        found = await client.get("/v1/views", {})
    except ApiError as error:
        if error.status == HTTPStatus.FORBIDDEN:
            return ()
        raise
    items: Sequence[Mapping[str, Any]] = found["items"]
    return items


async def _to_incident(client: ApiClient, given: Given) -> Response | None:
    """Return the way to an incident, if the words are its complete reference."""
    ref = await _reference(dict(given).get("q", ""), client)
    if ref is None:
        return None
    # Without the words: the back button would lead here again.
    back = kept_query((k, v) for k, v in given if k != "q")
    onward = f"?{urlencode({'back': back})}" if back else ""
    return RedirectResponse(f"/incidents/{ref}{onward}", HTTPStatus.SEE_OTHER)


async def _reference(words: str, client: ApiClient) -> str | None:
    """Return the incident if a search is its complete reference, and it exists."""
    ref = reference_of(words)
    if ref is None or not is_incident_ref(ref):
        return None
    try:
        await client.get(f"/v1/incidents/{ref}", {})
    except ApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise
    return ref
