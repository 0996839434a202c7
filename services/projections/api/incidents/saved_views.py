"""Saved views of the queue: listed, saved, changed and deleted by people.

A view says what to ask for. The person who opens it asks for that with their own
rights.
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from psycopg.errors import UniqueViolation
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.projections.api.answers import Answer, body_of, refusals
from services.projections.api.callers import SomeReader, person_of, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.queue_query import expression_of
from services.projections.api.query_params import Name, Nothing
from services.projections.log_queries import policy_in_force
from services.projections.queue.expression import EXPRESSION_MAX
from services.projections.saved_views import store
from services.projections.saved_views.rules import (
    COLUMNS,
    MANAGERS,
    NAME_MAX,
    USUAL,
    VIEWS_MAX,
    Audience,
    Column,
    SavedView,
    Viewer,
    may_change,
    may_see,
    require_audience,
    require_change,
    teams_of,
)
from shared.commands.refusals import answer_to
from shared.database.cursors import Cursors
from shared.domain.policy.teams import QueueOrder, Team
from shared.domain.refusal import Refused
from shared.http.bodies import read_object, validated
from shared.http.command_headers import version
from shared.http.problem_details import HttpError
from shared.security.access import Caller

router = APIRouter(tags=["saved views"])

_ID_BYTES = 9
_PLAIN = r"^[^\x00-\x1f]*$"
ViewId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]{11,32}$"),
    Path(description="A saved view."),
]


class ViewBody(BaseModel):
    """A view to save: what to ask of the queue, and how to show it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    name: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, min_length=1, max_length=NAME_MAX, pattern=_PLAIN
        ),
    ]
    """Another one than those of your other views."""
    audience: Audience = "private"
    """Who sees it: you alone, a `team`, or everybody."""
    team: Name | None = None
    """The team to share it with."""
    queue: Name = "all"
    """`all`, `mine`, `unassigned` or the name of a team."""
    filter: Annotated[
        str, StringConstraints(max_length=EXPRESSION_MAX, pattern=_PLAIN)
    ] = ""
    """A filter expression, as in `GET /v1/queues/{queue}/incidents`. `me` is the person
    who opens the view."""
    sort: QueueOrder | None = None
    """The order of open incidents. Default: that of the policy."""
    columns: Annotated[
        tuple[Column, ...], Field(min_length=1, max_length=len(COLUMNS))
    ] = USUAL
    """The columns to show, in this order."""


class ViewAnswer(Answer):
    """A saved view. Send `version` as `If-Match`; it is also the `ETag`."""

    id: str
    version: int
    owner: str | None
    """Null if its owner was removed or forgotten."""
    name: str
    audience: Audience
    team: str | None
    queue: str
    filter: str
    sort: QueueOrder | None
    columns: tuple[Column, ...]
    may_change: bool
    """Whether the caller may change or delete it."""
    updated_at: AwareDatetime


class ViewList(Answer):
    """The caller's views, and those shared with them."""

    items: list[ViewAnswer]


class ViewHeaders(BaseModel):
    """The header of a change."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    if_match: str | None = None
    """The version that the view must have, from `ETag`; otherwise 412."""


@router.get("/v1/views", responses=refusals())
async def list_views(
    _query: Annotated[Nothing, Query()], desk: DeskHere, caller: SomeReader
) -> ViewList:
    """List the caller's saved views, and those that are shared with them."""
    return await desk.blocking(_list, desk, caller)


@router.post(
    "/v1/views",
    status_code=201,
    responses=refusals(400, 409, 413, 415),
    openapi_extra=body_of(ViewBody),
)
async def save_view(
    request: Request,
    _query: Annotated[Nothing, Query()],
    desk: DeskHere,
    caller: SomeReader,
    response: Response,
) -> ViewAnswer:
    """Save a view. Saving it again unchanged returns the one that is there."""
    body = validated(ViewBody, await read_object(request), "view")
    saved = await desk.blocking(_save, desk, caller, body)
    response.headers["Location"] = f"/v1/views/{saved.id}"
    return _with_etag(saved, response)


@router.get("/v1/views/{view}", responses=refusals(404))
async def get_view(
    view: ViewId,
    _query: Annotated[Nothing, Query()],
    desk: DeskHere,
    caller: SomeReader,
    response: Response,
) -> ViewAnswer:
    """Show a saved view."""
    return _with_etag(await desk.blocking(_get, desk, caller, view), response)


@router.put(
    "/v1/views/{view}",
    responses=refusals(400, 404, 409, 412, 413, 415),
    openapi_extra=body_of(ViewBody),
)
async def change_view(
    request: Request,
    view: ViewId,
    headers: Annotated[ViewHeaders, Header()],
    _query: Annotated[Nothing, Query()],
    desk: DeskHere,
    caller: SomeReader,
    response: Response,
) -> ViewAnswer:
    """Change a saved view: your own, or as a manager one that is shared."""
    expected = version(headers.if_match)
    body = validated(ViewBody, await read_object(request), "view")
    changed = await desk.blocking(_change, desk, caller, view, body, expected)
    return _with_etag(changed, response)


@router.delete("/v1/views/{view}", status_code=204, responses=refusals(404, 412))
async def delete_view(
    view: ViewId,
    headers: Annotated[ViewHeaders, Header()],
    _query: Annotated[Nothing, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> None:
    """Delete a saved view: your own, or as a manager one that is shared."""
    await desk.blocking(_delete, desk, caller, view, version(headers.if_match))


def _with_etag(view: ViewAnswer, response: Response) -> ViewAnswer:
    response.headers["ETag"] = f'"{view.version}"'
    return view


def _list(desk: Desk, caller: Caller) -> ViewList:
    with desk.log.transaction() as cursor:
        viewer = viewer_of(caller, _teams(desk, cursor))
        found = store.seen(
            cursor, viewer.person, sorted(viewer.teams), manages=viewer.manages
        )
    return ViewList(
        items=[_answer(view, viewer) for view in found if may_see(view, viewer)]
    )


def _get(desk: Desk, caller: Caller, view_id: str) -> ViewAnswer:
    with desk.log.transaction() as cursor:
        viewer = viewer_of(caller, _teams(desk, cursor))
        return _answer(_seen(cursor, view_id, viewer), viewer)


def _save(desk: Desk, caller: Caller, body: ViewBody) -> ViewAnswer:
    now = desk.clock()
    with desk.log.transaction() as cursor:
        teams = _teams(desk, cursor)
        viewer = viewer_of(caller, teams)
        _require_valid(body, viewer, teams)
        fields = body.model_dump()
        view = SavedView(
            view_id=secrets.token_urlsafe(_ID_BYTES),
            owner=viewer.person,
            **fields,
            version=1,
            created_at=now,
            updated_at=now,
        )
        if store.count(cursor, viewer.person) >= VIEWS_MAX:
            raise HttpError(
                409,
                f"you have {VIEWS_MAX} views: delete one that you no longer need",
                code="too_many_views",
            )
        if store.insert(cursor, view):
            return _answer(view, viewer)
        there = store.by_name(cursor, viewer.person, body.name)
    if there is None or any(getattr(there, k) != v for k, v in fields.items()):
        raise _name_taken(body.name)
    return _answer(there, viewer)


def _change(
    desk: Desk, caller: Caller, view_id: str, body: ViewBody, expected: int | None
) -> ViewAnswer:
    try:
        with desk.log.transaction() as cursor:
            teams = _teams(desk, cursor)
            viewer = viewer_of(caller, teams)
            view = _changeable(cursor, view_id, viewer, expected)
            _require_valid(body, viewer, teams)
            if view.owner is None and body.audience == "private":
                raise HttpError(
                    409,
                    "nobody owns this view any more: save it under your own name",
                    code="state",
                )
            changed = replace(
                view,
                **body.model_dump(),
                version=view.version + 1,
                updated_at=desk.clock(),
            )
            store.update(cursor, changed)
    except UniqueViolation as error:
        raise _name_taken(body.name) from error
    return _answer(changed, viewer)


def _delete(desk: Desk, caller: Caller, view_id: str, expected: int | None) -> None:
    with desk.log.transaction() as cursor:
        viewer = viewer_of(caller, _teams(desk, cursor))
        _changeable(cursor, view_id, viewer, expected)
        store.delete(cursor, view_id)


def _teams(desk: Desk, cursor: Cursors) -> Mapping[str, Team]:
    policy = policy_in_force(desk.log, cursor)
    return policy.teams if policy else {}


def viewer_of(caller: Caller, teams: Mapping[str, Team]) -> Viewer:
    """Return who asks for views; raises 403 for a machine."""
    person = person_of(caller)
    if person is None:
        raise HttpError(403, "only a person has views", code="role")
    return Viewer(
        person,
        teams_of(person, teams),
        sees_everything=sight_of(caller).within is None,
        manages=caller.limits_of(*MANAGERS) is None,
    )


def _seen(
    cursor: Cursors, view_id: str, viewer: Viewer, *, lock: bool = False
) -> SavedView:
    view = store.one(cursor, view_id, lock=lock)
    if view is None or not may_see(view, viewer):
        raise HttpError(
            404,
            "there is no such view, or it is not shared with you: see GET /v1/views",
            code="unknown_view",
        )
    return view


def _changeable(
    cursor: Cursors, view_id: str, viewer: Viewer, expected: int | None
) -> SavedView:
    view = _seen(cursor, view_id, viewer, lock=True)
    try:
        require_change(view, viewer)
    except Refused as no:
        raise answer_to(no) from no
    if expected is not None and expected != view.version:
        raise HttpError(
            412,
            f"the view is at version {view.version} now, not {expected}: read it again",
            code="version",
        )
    return view


def _require_valid(body: ViewBody, viewer: Viewer, teams: Mapping[str, Team]) -> None:
    try:
        require_audience(body.audience, body.team, viewer, teams)
    except Refused as no:
        raise answer_to(no) from no
    if body.filter.strip():
        expression_of(body.filter, viewer.person)
    if len(set(body.columns)) != len(body.columns):
        raise HttpError(422, "name each column once", code="invalid")


def _name_taken(name: str) -> HttpError:
    return HttpError(
        409,
        f"you have another view named {name}: choose another name, or change that one",
        code="name_taken",
    )


def _answer(view: SavedView, viewer: Viewer) -> ViewAnswer:
    fields = ViewAnswer.model_fields.keys() - {"id", "may_change"}
    return ViewAnswer(
        id=view.view_id,
        may_change=may_change(view, viewer),
        **{name: getattr(view, name) for name in fields},
    )
