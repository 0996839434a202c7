"""The log itself, for auditors: all of it, the events of one incident, and documents.

Each event is shown with its position in the log and its hash. A document is a policy as
it was applied: an event refers to it by its hash.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from services.projections.api.answers import Answer, refusals, shown, tabular
from services.projections.api.callers import Auditor
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import LOG_PAGE_MAX, LOG_SCANNED_MAX, PAGE_DEFAULT
from services.projections.api.position import known, no_incident
from services.projections.api.query_params import Nothing, Position, Ref, TableQuery
from services.projections.generations import AsOf
from services.projections.log_queries import (
    rows_of_stream,
    rows_of_streams,
    rows_of_types,
    streams_about,
)
from services.projections.snapshots import snapshot
from shared.domain.events import EVENT_TYPES
from shared.domain.survey.privacy import owners_fields
from shared.eventlog.documents import find
from shared.eventlog.entry import Entry
from shared.eventlog.histories import Unreadable, each_event
from shared.eventlog.log import EventLog, Row
from shared.http.problem_details import HttpError

router = APIRouter(tags=["audit"])

Hash = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the document, in hex: `document_hash` of an event.",
    ),
]
_DOCUMENT = {"description": "The document as stored", "content": {
    "application/json": {"schema": {"type": "object"}}
}}  # fmt: skip


class LogItem(Answer):
    """An event and its position. `event` is decrypted and has the current schema.

    One that cannot be read keeps its place in the log: then `event` is empty.
    """

    position: int
    stream: str
    version: int
    type: str
    recorded_at: AwareDatetime
    command_id: UUID | None
    chain: str
    """SHA-256 over this event as stored and the previous hash, in hex."""
    event: dict[str, Any]
    unreadable: str | None = None
    """Why the event cannot be read: it is of a later version or damaged, or its key is
    missing. Null if it was read."""
    withheld: list[str] = Field(default_factory=list)
    """The fields that `event` leaves out: only the owner of a survey reads them."""


class LogPage(Answer):
    """A page of the log, oldest first."""

    items: list[LogItem]
    next_after: int | None
    """Where the next page begins, even if this one is empty; null at the end."""
    as_of: AsOf


def _items(log: EventLog, rows: Sequence[Row]) -> list[LogItem]:
    return [_item(row, read) for row, read in each_event(log, rows)]


def _item(row: Row, read: Entry | Unreadable) -> LogItem:
    event, why, withheld = {}, None, list[str]()
    if isinstance(read, Unreadable):
        why = read.why
    else:
        withheld = sorted(owners_fields(read.event))
        event = read.event.model_dump(
            mode="json", exclude_none=True, exclude=set(withheld)
        )
    return LogItem(
        position=row.position,
        stream=row.stream,
        version=row.version,
        type=row.type,
        recorded_at=row.recorded_at,
        command_id=row.command_id,
        chain=row.chain.hex(),
        event=event,
        unreadable=why,
        withheld=withheld,
    )


class EventsQuery(TableQuery):
    """Which part of a stream or of the log."""

    after: Position = 0
    """Only events with a greater position: `next_after` of the previous page."""
    limit: Annotated[int, Field(ge=1, le=LOG_PAGE_MAX)] = PAGE_DEFAULT


class IncidentEventsQuery(EventsQuery):
    """Which events about an incident."""

    streams: Literal["all", "own"] = "all"
    """`own`: only the incident's own stream; no promises, escalation or hand-over."""


class LogQuery(EventsQuery):
    """Which part of the log."""

    types: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    """Event types, separated by commas. Default: all."""


@router.get("/v1/log", response_model=LogPage, responses=tabular())
async def get_log(
    request: Request,
    query: Annotated[LogQuery, Query()],
    desk: DeskHere,
    _: Auditor,
) -> BaseModel | Response:
    """Read the log in order."""
    found = await desk.blocking(_log, desk, query, known_types(query.types))
    return shown(request, query, found)


@router.get(
    "/v1/incidents/{ref}/events", response_model=LogPage, responses=tabular(404)
)
async def get_events(
    request: Request,
    ref: Ref,
    query: Annotated[IncidentEventsQuery, Query()],
    desk: DeskHere,
    _: Auditor,
) -> BaseModel | Response:
    """Read the events about one incident in the order of the log."""
    found = await desk.blocking(_events, desk, ref, query)
    return shown(request, query, found)


@router.get(
    "/v1/documents/{document}",
    response_class=Response,
    responses={200: _DOCUMENT, **refusals(404)},
)
async def get_document(
    document: Hash,
    _query: Annotated[Nothing, Query()],
    desk: DeskHere,
    _: Auditor,
) -> Response:
    """Read a document to which an event refers, by the hash of its bytes."""
    return Response(
        await desk.blocking(_document, desk, document), 200, None, "application/json"
    )


def known_types(given: str | None) -> list[str] | None:
    """Return the event types of a comma-separated list; `HttpError` 422 if unknown."""
    if given is None:
        return None
    types = [name.strip() for name in given.split(",")]
    unknown = sorted(set(types) - set(EVENT_TYPES))
    if unknown:
        raise HttpError(
            422,
            f"no such type of event: {', '.join(unknown)}; there are "
            f"{', '.join(sorted(EVENT_TYPES))}",
            errors=[
                {
                    "loc": ["query", "types"],
                    "msg": f"unknown: {', '.join(unknown)}",
                    "type": "unknown_type",
                }
            ],
        )
    return types


def _log(desk: Desk, query: LogQuery, types: list[str] | None) -> LogPage:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, query.min_position)
        scanned = min(query.after + LOG_SCANNED_MAX, upto.position)
        rows = rows_of_types(cursor, (query.after, scanned), types, query.limit)
    reached = rows[-1].position if len(rows) == query.limit else scanned
    return LogPage(
        items=_items(desk.log, rows),
        next_after=reached if reached < upto.position else None,
        as_of=upto,
    )


def _events(desk: Desk, ref: str, query: IncidentEventsQuery) -> LogPage:
    own, *others = streams_about(ref)
    streams = [own, *others] if query.streams == "all" else [own]
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, query.min_position)
        rows = rows_of_streams(cursor, streams, query.after, query.limit + 1)
        if not rows and not rows_of_stream(cursor, own, 0, 1):
            raise no_incident(ref)
    shown = rows[: query.limit]
    return LogPage(
        items=_items(desk.log, shown),
        next_after=shown[-1].position if len(rows) > len(shown) else None,
        as_of=upto,
    )


def _document(desk: Desk, wanted: str) -> bytes:
    with snapshot(desk.log) as cursor:
        body = find(cursor, wanted)
    if body is None:
        raise HttpError(
            404,
            "there is no such document: an event names it as `document_hash`",
            code="unknown_document",
        )
    return body
