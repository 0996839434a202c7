"""The live log as server-sent events, each with its position as id.

A client that reconnects with `Last-Event-ID` continues where it was interrupted.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.security import APIKeyCookie
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.projections.api.callers import Token
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import (
    LOG_PAGE_MAX,
    STREAM_CHECK_SECONDS,
    STREAM_RETRY_SECONDS,
)
from services.projections.api.log.endpoints import known_types
from services.projections.api.log.tail import StreamItem, Told, told
from services.projections.api.query_params import Position, refusals
from shared.domain.identifiers import IncidentRef, about
from shared.eventlog.epochs import Epochs, OtherEpoch
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import Row
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
COOKIE = "permanence_token"
"""The cookie for browsers, whose EventSource cannot set headers; only for reading."""

_Cookie = Annotated[
    str | None,
    Depends(
        APIKeyCookie(
            name=COOKIE,
            auto_error=False,
            scheme_name="page",
            description="The token, kept by a browser that signed in at `/`.",
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

    def wants(self, type_: str, incident: IncidentRef | None) -> bool:
        return (self.types is None or type_ in self.types) and (
            self.incident is None or self.incident == incident
        )


async def _listener(
    desk: DeskHere,
    bearer: Token,
    cookie: _Cookie,
    asked: Annotated[StreamQuery, Query()],
    last_event_id: Annotated[
        str | None, Header(pattern=LAST_EVENT_ID, description=_LAST_EVENT_ID)
    ] = None,
) -> AsyncIterator[_Listener]:
    token = bearer.credentials if bearer else cookie
    caller = await _admit(desk, token)
    types = known_types(",".join(asked.types) or None)
    head = (await desk.blocking(desk.log.head)).position
    epochs = await desk.blocking(desk.log.epochs)
    # A browser repeats its first address; its progress is in the header.
    begins = asked.after
    if last_event_id is not None:
        begins = _position(epochs, last_event_id)
    if begins is not None and begins > head:
        raise HttpError(
            422,
            f"the log ends at position {head}, before {begins}: is it another log? "
            "Begin without a position",
            code="ahead",
        )
    with desk.tail.listening(head, caller.token_id):
        yield _Listener(
            token,
            head if begins is None else begins,
            epochs,
            None if types is None else frozenset(types),
            asked.incident,
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


async def _admit(desk: Desk, token: str | None) -> Caller:
    caller = await caller_of(desk.access, token, desk.blocking)
    require_scope(caller, *READERS)
    return caller


@router.get(STREAM, responses=refusals(), response_class=EventSourceResponse)
async def get_stream(
    desk: DeskHere, listener: Annotated[_Listener, Depends(_listener)]
) -> AsyncIterator[StreamItem]:
    """Stream events as they are recorded; `id` is the position, `event` the type.

    Reconnect with `Last-Event-ID` to continue; every EventSource does so by itself.
    """
    async for event in _events(desk, listener):
        yield event  # type: ignore[misc] # FastAPI describes the item, and sends this


async def _events(desk: Desk, listener: _Listener) -> AsyncIterator[ServerSentEvent]:
    """Yield the listener's events until the service stops or its token is revoked."""
    position = said = listener.begins
    id_at = listener.epochs.id_at
    yield ServerSentEvent(id=id_at(position), retry=STREAM_RETRY_SECONDS * 1_000)
    elapsed = asyncio.get_running_loop().time
    checked, history = elapsed(), desk.tail.history
    while not desk.tail.is_over and desk.tail.history == history:
        try:
            if elapsed() - checked >= STREAM_CHECK_SECONDS:
                checked = elapsed()
                await _admit(desk, listener.token)
                if said < position:  # a reconnect skips what was filtered
                    said = position
                    yield ServerSentEvent(id=await _id_at(desk, position))
            position, found = await _next(desk, listener, position)
        except (HttpError, Unavailable):
            return  # the client reconnects and gets the error
        for one in found:
            said = one.position
            yield ServerSentEvent(raw_data=one.json, event=one.type, id=one.id)
        await desk.tail.changed(position, STREAM_CHECK_SECONDS)


async def _next(
    desk: Desk, listener: _Listener, position: int
) -> tuple[int, list[Told]]:
    """Return the position up to which was read, and the matching events."""
    fresh = desk.tail.after(position)
    if fresh is None:
        return await desk.blocking(_stored, desk, listener, position)
    found = [one for one in fresh if listener.wants(one.type, one.incident)]
    return max(position, desk.tail.head), found


def _stored(desk: Desk, listener: _Listener, position: int) -> tuple[int, list[Told]]:
    rows = desk.log.rows_since(position, LOG_PAGE_MAX)

    def wanted(row: Row) -> bool:
        return listener.wants(row.type, about(row.stream))

    found = told(desk.log, list(filter(wanted, rows)))
    return rows[-1].position if rows else position, found
