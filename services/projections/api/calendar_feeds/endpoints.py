"""Calendars of shifts: people make a link and revoke it; calendars read by it.

Programs for calendars cannot sign in: the link is the credential, for this only.
"""

from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.projections.api.answers import Answer, body_of, refusals
from services.projections.api.calendar_feeds.views import calendar_of
from services.projections.api.callers import SomeReader, person_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.on_call.schedules import schedule_now
from services.projections.api.query_params import Nothing, PreferredLanguage
from services.projections.calendar_feeds import store
from services.projections.calendar_feeds.store import Feed
from services.projections.snapshots import snapshot
from shared.domain.policy.clause import Name
from shared.http.bodies import read_object, validated
from shared.http.form_limits import address_of
from shared.http.problem_details import HttpError
from shared.security.access import Caller

router = APIRouter(tags=["calendars"])

FeedId = Annotated[
    str, Path(pattern=r"^[0-9a-f]{12}$", description="A link, by its id.")
]
Secret = Annotated[str, Path(max_length=512, description="The secret of a link.")]
_HEADERS = {
    "Cache-Control": "private, no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


class FeedBody(BaseModel):
    """What a link leads to."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    schedule: Name | None = None
    """The shifts of everybody in a schedule. Default: your own, of all schedules."""


class FeedView(Answer):
    """A link that you made, without its secret."""

    id: str
    schedule: str | None
    """Null: your own shifts."""
    created_at: AwareDatetime


class NewFeed(FeedView):
    """A new link."""

    path: str
    """Where the calendar is at the desk. It is shown this once: anybody who has it can
    read the calendar."""


class FeedList(Answer):
    """The links that you made."""

    items: list[FeedView]


@router.post(
    "/v1/calendars",
    status_code=201,
    responses=refusals(400, 404, 413, 415),
    openapi_extra=body_of(FeedBody),
)
async def create_calendar_link(
    request: Request,
    desk: DeskHere,
    caller: SomeReader,
    _: Annotated[Nothing, Query()],
    response: Response,
) -> NewFeed:
    """Make a link to a calendar; an earlier one of the same calendar ends."""
    me = _me(caller)
    body = validated(FeedBody, await read_object(request), "link")
    response.headers["Cache-Control"] = "no-store"
    return await desk.blocking(_create, desk, me, body.schedule)


@router.get("/v1/calendars", responses=refusals())
async def get_calendar_links(
    desk: DeskHere, caller: SomeReader, _: Annotated[Nothing, Query()]
) -> FeedList:
    """List the links that you made."""
    return await desk.blocking(_list, desk, _me(caller))


@router.delete("/v1/calendars/{feed}", responses=refusals(404))
async def revoke_calendar_link(
    feed: FeedId, desk: DeskHere, caller: SomeReader, _: Annotated[Nothing, Query()]
) -> FeedList:
    """Revoke a link: the calendar is not found any more. Return those that are left."""
    return await desk.blocking(_revoke, desk, _me(caller), feed)


@router.get(
    "/v1/calendars/{secret}.ics",
    responses={
        200: {"content": {"text/calendar": {"schema": {"type": "string"}}}},
        304: {"description": "Not Modified"},
        **{
            status: told
            for status, told in refusals(404).items()
            if status not in (401, 403)
        },
    },
    response_class=Response,
)
async def get_calendar(
    secret: Secret,
    request: Request,
    desk: DeskHere,
    liked: PreferredLanguage,
    _: Annotated[Nothing, Query()],
) -> Response:
    """Return the calendar of a link: 30 days back and 90 days ahead."""
    desk.feed_limits.admit(address_of(request, desk.trusted_proxies))
    written = await desk.blocking(calendar_of, desk, secret, liked)
    if written is None:
        raise HttpError(
            404,
            "no calendar has this link: make a new one at the desk, under On call",
            code="unknown_calendar",
        )
    tag = f'"{sha256(written).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": tag}
    if _has(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(written, media_type="text/calendar", headers=headers)


def _has(if_none_match: str, tag: str) -> bool:
    given = (each.strip().removeprefix("W/") for each in if_none_match.split(","))
    return tag in given


def _me(caller: Caller) -> str:
    me = person_of(caller)
    if me is None:
        raise HttpError(403, "a link belongs to a person: sign in", code="role")
    return me


def _create(desk: Desk, me: str, schedule: str | None) -> NewFeed:
    if schedule is not None:
        with snapshot(desk.log) as cursor:
            schedule_now(desk, cursor, schedule, 0)
    with desk.log.transaction() as cursor:
        feed, secret = store.create(cursor, me, schedule, desk.clock())
    return NewFeed(**_told(feed), path=f"/v1/calendars/{secret}.ics")


def _list(desk: Desk, me: str) -> FeedList:
    with snapshot(desk.log) as cursor:
        found = store.feeds_of(cursor, me)
    return FeedList(items=[FeedView(**_told(each)) for each in found])


def _revoke(desk: Desk, me: str, feed: str) -> FeedList:
    with desk.log.transaction() as cursor:
        if not store.revoke(cursor, feed, me):
            raise HttpError(404, "you have no such link", code="unknown_calendar")
        found = store.feeds_of(cursor, me)
    return FeedList(items=[FeedView(**_told(each)) for each in found])


def _told(feed: Feed) -> dict[str, Any]:
    return {
        "id": feed.feed_id,
        "schedule": feed.schedule,
        "created_at": feed.created_at,
    }
