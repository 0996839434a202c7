"""Parked events of all readers: the list, one stream, and commands to retry or skip.

A command goes to the service whose reader parked the events. The readers of the read
models are ours: their requests are stored here, after the same verification.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from services.projections.api.answers import body_of, refusals, shown, tabular
from services.projections.api.callers import Reader as SomebodyWhoReads
from services.projections.api.commands.messages import Message, NewRecord, with_path
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.parked_events import store
from services.projections.api.parked_events.schemas import (
    ParkedEventView,
    ParkedList,
    ParkedQuery,
    ParkedRequestView,
    ParkedStreamWhole,
    ParkedView,
    Reader,
    SkippedList,
    SkippedView,
)
from services.projections.api.query_params import QueryParams
from services.projections.read_models import MODELS
from services.projections.snapshots import snapshot
from shared.commands.parked_events import ADMINISTRATORS, ParkedDesk
from shared.domain.commands.parked_event import (
    AGGREGATES,
    ParkedAnswer,
    RetryParked,
    SkipParked,
    StreamName,
)
from shared.eventlog.readers.parked_commands import READ_MODELS
from shared.eventlog.readers.position import Bookmark
from shared.http.bodies import validated
from shared.http.problem_details import HttpError
from shared.security.sender import authentication

router = APIRouter(tags=["parked events"])

ReaderPath = Annotated[Reader, Path(description="A reader: `sla_watcher`.")]
StreamPath = Annotated[
    StreamName, Path(description="A stream of the log: `incident-INC-000042`.")
]


@router.get("/v1/parked", response_model=ParkedList, responses=tabular())
async def get_parked(
    request: Request,
    query: Annotated[ParkedQuery, Query()],
    desk: DeskHere,
    _: SomebodyWhoReads,
) -> BaseModel | Response:
    """List the streams that readers have parked, in the order of the log."""
    return shown(request, query, await desk.blocking(_parked, desk, query))


@router.get("/v1/parked/skipped", response_model=SkippedList, responses=tabular())
async def get_skipped(
    request: Request,
    query: Annotated[ParkedQuery, Query()],
    desk: DeskHere,
    _: SomebodyWhoReads,
) -> BaseModel | Response:
    """List the events that readers were told to skip, the newest first."""
    return shown(request, query, await desk.blocking(_skipped, desk, query))


@router.get("/v1/parked/{reader}/{stream}", responses=refusals(404))
async def get_parked_stream(
    reader: ReaderPath,
    stream: StreamPath,
    _query: Annotated[QueryParams, Query()],
    desk: DeskHere,
    _: SomebodyWhoReads,
) -> ParkedStreamWhole:
    """Show the parked events of a stream, and what was requested about it."""
    return await desk.blocking(_whole, desk, reader, stream)


_REFUSALS = (400, 404, 409, 413, 415)


@router.post(
    "/v1/parked/{reader}/{stream}/retry",
    responses=refusals(*_REFUSALS),
    openapi_extra=body_of(RetryParked),
)
async def retry_parked(
    reader: ReaderPath, stream: StreamPath, message: NewRecord, desk: DeskHere
) -> ParkedAnswer:
    """Have a reader apply the parked events of a stream again, in order."""
    return await _sent(desk, reader, _about(reader, stream, message), RetryParked)


@router.post(
    "/v1/parked/{reader}/{stream}/skip",
    responses=refusals(*_REFUSALS),
    openapi_extra=body_of(SkipParked),
)
async def skip_parked(
    reader: ReaderPath, stream: StreamPath, message: NewRecord, desk: DeskHere
) -> ParkedAnswer:
    """Have a reader skip the first parked event of a stream, and apply the others."""
    return await _sent(desk, reader, _about(reader, stream, message), SkipParked)


def _about(reader: Reader, stream: str, message: Message) -> Message:
    """Return a command about a stream of a reader."""
    named = message.model_copy(update={"body": with_path(message, "reader", reader)})
    body = with_path(named, "stream", stream)
    return message.model_copy(update={"body": body})


async def _sent(
    desk: Desk, reader: Reader, message: Message, kind: type[RetryParked | SkipParked]
) -> ParkedAnswer:
    if reader not in MODELS:
        aggregate = AGGREGATES[reader]
        return await desk.owner.ask(aggregate, kind.verb, message, ParkedAnswer)
    body = validated(kind, message.body, f"body of `{kind.verb}`")
    own = message.model_copy(update={"body": body})
    senders = authentication(desk.log, desk.clock, desk.threads)
    request = await senders.request(own, ADMINISTRATORS)
    return await ParkedDesk(desk.log, _read_model, desk.threads).take(request)


def _read_model(name: str) -> Bookmark | None:
    """Return the reader of a read model as requests name it, in no generation."""
    return Bookmark(f"{READ_MODELS}_{name}", name) if name in MODELS else None


def _readers(query: ParkedQuery) -> tuple[str, ...]:
    return (query.reader,) if query.reader else store.READERS


def _parked(desk: Desk, query: ParkedQuery) -> ParkedList:
    with snapshot(desk.log) as cursor:
        found = store.parked_streams(
            cursor, _readers(query), query.after, query.limit + 1
        )
    items = [ParkedView.of(each) for each in found[: query.limit]]
    more = items[-1].place if len(found) > len(items) else None
    return ParkedList(items=items, next_cursor=more)


def _skipped(desk: Desk, query: ParkedQuery) -> SkippedList:
    with snapshot(desk.log) as cursor:
        found = store.skipped_events(
            cursor, _readers(query), query.before, query.limit + 1
        )
    items = [SkippedView.of(each) for each in found[: query.limit]]
    more = items[-1].place if len(found) > len(items) else None
    return SkippedList(items=items, next_cursor=more)


def _whole(desk: Desk, reader: Reader, stream: str) -> ParkedStreamWhole:
    with snapshot(desk.log) as cursor:
        parked = store.parked_stream(cursor, reader, stream)
        events = store.parked_events(cursor, reader, stream)
        asked = store.requests(cursor, reader, stream)
    if parked is None and not asked:
        raise HttpError(404, f"{reader} has parked nothing of {stream}: see /v1/parked")
    return ParkedStreamWhole(
        reader=reader,
        stream=stream,
        parked=ParkedView.of(parked) if parked else None,
        events=[ParkedEventView.of(each) for each in events],
        requests=[ParkedRequestView.of(each) for each in asked],
    )
