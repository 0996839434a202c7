"""The log itself, for auditors: all of it, or the events of one incident.

Each event is shown with its position in the log and its hash.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.callers import Auditor
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.history import known
from services.projections.api.limits import LOG_PAGE_MAX, LOG_SCANNED_MAX, PAGE_DEFAULT
from services.projections.api.metrics.tables import TableQuery, shown, tabular
from services.projections.api.query_params import Position, Ref, no_incident
from services.projections.log_queries import (
    rows_of_stream,
    rows_of_streams,
    rows_of_types,
    streams_about,
)
from services.projections.snapshots import snapshot
from shared.domain.events import EVENT_TYPES
from shared.eventlog.entry import Entry
from shared.eventlog.log import Row
from shared.http.problem_details import HttpError


class LogItem(Answer):
    """An event and its position. `event` is decrypted and has the current schema."""

    position: int
    stream: str
    version: int
    type: str
    recorded_at: AwareDatetime
    command_id: UUID | None
    chain: str
    """SHA-256 over this event as stored and the previous hash, in hex."""
    event: dict[str, Any]


class LogPage(Answer):
    """A page of the log, oldest first."""

    items: list[LogItem]
    next_after: int | None
    """Where the next page begins, even if this one is empty; null at the end."""
    as_of: AsOfAnswer


def item(row: Row, entry: Entry) -> LogItem:
    """Return an item from a stored row and the entry decoded from it."""
    return LogItem(
        position=row.position,
        stream=row.stream,
        version=row.version,
        type=row.type,
        recorded_at=row.recorded_at,
        command_id=row.command_id,
        chain=row.chain.hex(),
        event=entry.event.model_dump(mode="json", exclude_none=True),
    )


router = APIRouter(tags=["audit"])


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
    asked: Annotated[LogQuery, Query()],
    desk: DeskHere,
    caller: Auditor,  # noqa: ARG001 # it lets nobody else in
) -> BaseModel | Response:
    """Read the log in order."""
    found = await desk.blocking(_log, desk, asked, known_types(asked.types))
    return shown(request, asked, found)


@router.get(
    "/v1/incidents/{ref}/events", response_model=LogPage, responses=tabular(404)
)
async def get_events(
    request: Request,
    ref: Ref,
    asked: Annotated[IncidentEventsQuery, Query()],
    desk: DeskHere,
    caller: Auditor,  # noqa: ARG001 # it lets nobody else in
) -> BaseModel | Response:
    """Read the events about one incident in the order of the log."""
    found = await desk.blocking(_events, desk, ref, asked)
    return shown(request, asked, found)


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


def _log(desk: Desk, asked: LogQuery, types: list[str] | None) -> LogPage:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, asked.min_position)
        scanned = min(asked.after + LOG_SCANNED_MAX, upto.position)
        rows = rows_of_types(cursor, (asked.after, scanned), types, asked.limit)
    entries = desk.log.entries(rows)
    reached = rows[-1].position if len(rows) == asked.limit else scanned
    return LogPage(
        items=[item(*pair) for pair in zip(rows, entries, strict=True)],
        next_after=reached if reached < upto.position else None,
        as_of=AsOfAnswer.model_validate(upto),
    )


def _events(desk: Desk, ref: str, asked: IncidentEventsQuery) -> LogPage:
    own, *others = streams_about(ref)
    streams = [own, *others] if asked.streams == "all" else [own]
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, asked.min_position)
        rows = rows_of_streams(cursor, streams, asked.after, asked.limit + 1)
        if not rows and not rows_of_stream(cursor, own, 0, 1):
            raise no_incident(ref)
    shown = rows[: asked.limit]
    entries = desk.log.entries(shown)
    return LogPage(
        items=[item(*pair) for pair in zip(shown, entries, strict=True)],
        next_after=shown[-1].position if len(rows) > len(shown) else None,
        as_of=AsOfAnswer.model_validate(upto),
    )
