"""The live log as server-sent events, each with its position as id.

A client that reconnects with `Last-Event-ID` continues where it was interrupted.

A thousand people may listen, so what they have in common is done once, in `tail`: an
event is read and encoded there, and a listener passes on all that is new in one write.
FastAPI's own server-sent events take two tasks and two queues for each stream, and an
object for each event and listener.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import uniform
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.security import APIKeyCookie
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.responses import Response, StreamingResponse

from services.projections.api.answers import refusals
from services.projections.api.callers import (
    Token,
    caller_with,
    may_look_people_up,
    sight_of,
)
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import (
    STREAM_CHECK_SECONDS,
    STREAM_PING_SECONDS,
    STREAM_RETRY_SECONDS,
)
from services.projections.api.log.blocks import StreamedEvent, block
from services.projections.api.log.credentials import credential_id
from services.projections.api.log.endpoints import known_types
from services.projections.api.log.presence import (
    PresenceWatch,
    something_new,
    watching,
)
from services.projections.api.log.tail import Tail
from services.projections.api.query_params import Position
from services.projections.api.session_cookie import (
    COOKIE,
    SECURE_COOKIE,
    session_in,
)
from services.projections.sight import Sight
from shared.domain.identifiers import IncidentRef
from shared.domain.survey.privacy import NAMED_ANSWERS
from shared.eventlog.epochs import Epochs, OtherEpoch
from shared.eventlog.errors import Unavailable
from shared.http.bearer import caller_of, require_scope
from shared.http.problem_details import HttpError
from shared.security.access import Caller
from shared.security.sender import READERS

router = APIRouter(tags=["stream"])

STREAM = "/v1/stream"
LAST_EVENT_ID = r"^([0-9]{1,9}-[0-9a-f]{8}:)?[0-9]{1,18}$"
_LAST_EVENT_ID = (
    "The `id` of the last event that was heard, as it was given: a position; after a "
    "restore with the epoch before it, such as `2-5f3a09c1:4212`."
)
_Cookie = Annotated[
    str | None,
    Depends(
        APIKeyCookie(
            name=COOKIE,
            auto_error=False,
            scheme_name="page",
            description="The session of a browser that signed in at `/`, since its "
            f"EventSource cannot set headers. Over HTTPS: `{SECURE_COOKIE}`.",
        )
    ),
]


class StreamQuery(BaseModel):
    """Which events, and where to begin."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    after: Position | None = None
    """Only events with a greater position. Default: events from now on."""
    types: tuple[Annotated[str, StringConstraints(max_length=2_000)], ...] = ()
    """Event types, separated by commas or repeated. Default: all."""
    incident: IncidentRef | None = None
    """Only events about this incident, from any service."""


@dataclass(frozen=True, slots=True)
class _Listener:
    """A stream's start position, its filters, and the token that opened it."""

    token: str | None
    begins: int
    epochs: Epochs
    """The epochs when the stream began; events carry their own."""
    types: frozenset[str] | None
    incident: IncidentRef | None
    sight: Sight
    """What the caller saw when the stream began."""
    credential: str
    """The id of the token or session that opened it."""
    rights_until: datetime | None
    """When the first of the caller's rights ended by itself, as of the beginning."""
    watch: PresenceWatch | None
    """Who else has the incident open; None where the stream does not tell."""

    def wants(self, type_: str, incident: IncidentRef | None) -> bool:
        return (
            type_ not in NAMED_ANSWERS
            and (self.types is None or type_ in self.types)
            and (self.incident is None or self.incident == incident)
        )


async def _listener(
    request: Request,
    desk: DeskHere,
    bearer: Token,
    _: _Cookie,
    query: Annotated[StreamQuery, Query()],
    last_event_id: Annotated[
        str | None, Header(pattern=LAST_EVENT_ID, description=_LAST_EVENT_ID)
    ] = None,
) -> AsyncIterator[_Listener]:
    token = bearer.credentials if bearer else session_in(request)
    async with desk.tail.openings:  # after a restart all come back together
        caller = _admitted(await caller_with(request, desk, token))
        head = (await desk.blocking(desk.log.head)).position
        epochs = await desk.blocking(desk.log.epochs)
    types = known_types(",".join(query.types) or None)
    # A browser repeats its first address; its progress is in the header.
    begins = query.after
    if last_event_id is not None:
        begins = _position(epochs, last_event_id)
    if begins is not None and begins > head:
        raise _ahead(head, begins)
    with (
        desk.tail.listening(head, caller),
        watching(desk, caller, query.incident, types) as watch,
    ):
        yield _Listener(
            token,
            head if begins is None else begins,
            epochs,
            None if types is None else frozenset(types),
            query.incident,
            sight_of(caller),
            credential_id(caller),
            _rights_until(caller),
            watch,
        )


def _rights_until(caller: Caller) -> datetime | None:
    ends = (caller.expires_at, *(grant.until for grant in caller.grants))
    return min((end for end in ends if end is not None), default=None)


def _ahead(head: int, begins: int) -> HttpError:
    return HttpError(
        422,
        f"the log ends at position {head}, before {begins}: is it another log? "
        "Begin without a position",
        code="ahead",
    )


def _position(epochs: Epochs, written: str) -> int:
    """Return where to continue; `HttpError` 410 if a restore removed that history."""
    try:
        return epochs.position(written)
    except OtherEpoch as error:
        raise HttpError(
            410,
            f"the log was restored, and the event {written} is not in it: read again "
            "what you keep, then begin without Last-Event-ID",
            code="other_epoch",
        ) from error


async def _id_at(desk: Desk, position: int) -> str:
    return (await desk.blocking(desk.log.epochs)).id_at(position)


def _admitted(caller: Caller) -> Caller:
    require_scope(caller, *READERS, limited=True)
    return caller


_ITEM = {
    "type": "object",
    "properties": {
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/StreamItem"},
        },
        "event": {"type": "string"},
        "id": {"type": "string"},
        "retry": {"type": "integer", "minimum": 0},
    },
    "required": ["data"],
}
_STREAMED: Mapping[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"itemSchema": _ITEM}}}
}
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""The latter tells nginx to pass events on at once."""
_PING = b": ping\n\n"


@router.get(STREAM, responses={**_STREAMED, **refusals()}, response_class=Response)
async def get_stream(
    desk: DeskHere, listener: Annotated[_Listener, Depends(_listener)]
) -> StreamingResponse:
    """Stream events as they are recorded; `id` is the position, `event` the type.

    For those who may act at the desk, `presence` without an id says who else has an
    incident open: that of `incident`, or those that pages of the same session have
    open. That is in no log, and is not repeated.

    Who answered a survey with their name is not told.

    Reconnect with `Last-Event-ID` to continue; every EventSource does so by itself.
    """
    return StreamingResponse(
        _blocks(desk, listener), media_type="text/event-stream", headers=_HEADERS
    )


class _OtherRights(Exception):
    """The listener sees other records than when the stream began."""


@dataclass(slots=True)
class _Progress:
    """How far a stream is."""

    position: int
    """Up to where the listener has everything that it wants."""
    sent: int
    """The position that it was told last."""
    checked_at: float
    """When its token was checked last."""
    rights_seen: int
    """The last change of somebody's rights that a check took into account."""
    rights_until: datetime | None
    """When the first of the listener's rights ends by itself."""


async def _blocks(desk: Desk, listener: _Listener) -> AsyncIterator[bytes]:
    """Yield the listener's events until the service stops or their rights change."""
    begins = listener.begins
    yield block(id_=listener.epochs.id_at(begins), retry=STREAM_RETRY_SECONDS * 1_000)
    elapsed = asyncio.get_running_loop().time
    told_at, history = elapsed(), desk.tail.history
    seen = min(begins, desk.tail.rights_changed)
    progress = _Progress(begins, begins, told_at, seen, listener.rights_until)
    while not desk.tail.is_over and desk.tail.history == history:
        # At different times: those who came together would all be woken together.
        rest = _varied(min(STREAM_PING_SECONDS, STREAM_CHECK_SECONDS))
        rest = _at_most(desk, progress, rest)
        await something_new(desk.tail, listener.watch, progress.position, rest)
        is_due = _is_due(desk, listener, progress)
        # Before the check: what changes meanwhile is checked before more is sent.
        progress.rights_seen = desk.tail.rights_changed
        due = b""
        try:
            if is_due:
                await _check(desk, listener, progress)
            if desk.tail.rights_changed == progress.rights_seen:
                due = await _news(desk, listener, progress)
            if not due and elapsed() - told_at >= STREAM_PING_SECONDS * EARLIEST:
                due = await _place(desk, progress)
        except (HttpError, Unavailable, _OtherRights):
            return  # the client reconnects, and gets the error or reads again
        if due:
            told_at = elapsed()
            yield due


EARLIEST = 0.75
"""What is done every so many seconds is done after this share of them, or later."""


def _varied(seconds: float) -> float:
    return seconds * uniform(EARLIEST, 2 - EARLIEST)  # noqa: S311 # no secret


def _at_most(desk: Desk, progress: _Progress, seconds: float) -> float:
    """Return how long a listener may rest: until the first of their rights ends."""
    if progress.rights_until is None:
        return seconds
    left = (progress.rights_until - desk.clock()).total_seconds()
    return min(seconds, max(left, LEAST_REST_SECONDS))


LEAST_REST_SECONDS = 1.0
"""How long a listener rests whose rights have ended, until the check says so."""


def _is_due(desk: Desk, listener: _Listener, progress: _Progress) -> bool:
    """Return whether the listener's rights have to be checked before more is sent.

    If something may have changed, what is cached about the listener is dropped.
    """
    changed = (
        desk.tail.rights_changed > progress.rights_seen
        or listener.credential in desk.tail.credentials.ended
        or (progress.rights_until and progress.rights_until <= desk.clock())
    )
    if changed and listener.token:
        desk.access.forget(listener.token)
        return True
    since = asyncio.get_running_loop().time() - progress.checked_at
    return since >= STREAM_CHECK_SECONDS * EARLIEST


async def _check(desk: Desk, listener: _Listener, progress: _Progress) -> None:
    """Check that the listener is still admitted, and sees the same.

    Raises `HttpError` if not, `_OtherRights`, `Unavailable`.
    """
    progress.checked_at = asyncio.get_running_loop().time()
    async with desk.tail.reads:
        asked = await caller_of(desk.access, listener.token, desk.blocking)
        caller = _admitted(asked)
    progress.rights_until = _rights_until(caller)
    watched = listener.watch is not None
    if sight_of(caller) != listener.sight or watched > may_look_people_up(caller):
        raise _OtherRights


async def _place(desk: Desk, progress: _Progress) -> bytes:
    """Return the block that says how far a stream is, or that it is still open."""
    if progress.sent >= progress.position:
        return _PING
    progress.sent = progress.position  # a reconnect skips what was filtered
    return block(id_=await _id_at(desk, progress.position))


async def _news(desk: Desk, listener: _Listener, progress: _Progress) -> bytes:
    """Return the blocks of what is new to the listener: events, who is present."""
    progress.position, found = await _next(desk, listener, progress.position)
    heard = await _within(desk.tail, listener.sight, found)
    if heard:
        progress.sent = heard[-1].position
    present = await listener.watch.news(desk) if listener.watch else b""
    return b"".join(one.for_sight(listener.sight) for one in heard) + present


async def _next(
    desk: Desk, listener: _Listener, position: int
) -> tuple[int, list[StreamedEvent]]:
    """Return the position up to which was read, and the matching events."""
    fresh = desk.tail.after(position)
    if fresh is not None:
        return max(position, desk.tail.head), _wanted(listener, fresh)
    async with desk.tail.reads:
        upto, stored = await desk.blocking(desk.tail.backlog.after, position)
    return upto, _wanted(listener, stored)


def _wanted(listener: _Listener, found: Sequence[StreamedEvent]) -> list[StreamedEvent]:
    return [one for one in found if listener.wants(one.type, one.incident)]


async def _within(
    tail: Tail, sight: Sight, found: list[StreamedEvent]
) -> list[StreamedEvent]:
    """Return the events that a listener may hear. Raises `Unavailable`.

    An event is sent if the incident it is about is within the limits after it. What is
    about no incident is not sent.
    """
    if sight.within is None or not found:
        return found
    places = await tail.places_of(found)
    return [
        one
        for one in found
        if one.incident is not None and sight.sees(places.get(one.incident))
    ]
