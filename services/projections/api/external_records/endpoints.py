"""External records: listed, found by words, shown, and the incidents of one.

They belong to no client, service or team: anyone who reads for the desk sees them all.
Which incidents are linked to one depends on the limits of the reader.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from services.projections.api.answers import refusals, shown, tabular
from services.projections.api.callers import SomeReader, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.external_records.views import (
    ExternalIncident,
    ExternalIncidents,
    ExternalIncidentsQuery,
    ExternalRecordList,
    ExternalRecordQuery,
    ExternalRecordsQuery,
    ExternalRecordView,
)
from services.projections.api.position import known, known_to
from services.projections.external_records import (
    ExternalRecordPage,
    VersionedExternalRecord,
    listed,
    one,
    several,
)
from services.projections.generations import AsOf
from services.projections.queue.row import QueueRow, in_stock
from services.projections.queue.store import load
from services.projections.read_models import QUEUE, WORDS
from services.projections.sight import Sight, visible
from services.projections.snapshots import snapshot
from services.projections.words.search import WordIndex
from shared.database.cursors import Cursors
from shared.domain.identifiers import ExternalId, ExternalType, external_ref
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError

router = APIRouter(tags=["external records"])

FOUND_MAX = 500
"""How many records that have the words are read to find those of one type."""
INCIDENTS_MAX = 2_000
"""How many incidents of a record are listed, the ones that were linked last."""

_Type = Annotated[ExternalType, Path(description="Its type, such as `release`.")]
_Id = Annotated[ExternalId, Path(description="Its id in the other system.")]


@router.get("/v1/records", response_model=ExternalRecordList, responses=tabular())
async def list_external_records(
    request: Request,
    query: Annotated[ExternalRecordsQuery, Query()],
    desk: DeskHere,
    _: SomeReader,
) -> BaseModel | Response:
    """List the records that other systems have put, or find some by words."""
    if query.q is not None:
        await desk.reached(query.min_position, WORDS)
    return shown(request, query, await desk.blocking(_list, desk, query))


@router.get("/v1/records/{type}/{id}", responses=refusals(404))
async def get_external_record(
    type: _Type,  # noqa: A002 # as the address names it
    id: _Id,  # noqa: A002 # likewise
    query: Annotated[ExternalRecordQuery, Query()],
    desk: DeskHere,
    _: SomeReader,
    response: Response,
) -> ExternalRecordView:
    """Show a record as another system last told it, or as it was at an instant."""
    view = await desk.blocking(_view, desk, external_ref(type, id), query)
    response.headers["ETag"] = f'"{view.version}"'
    return view


@router.get(
    "/v1/records/{type}/{id}/incidents",
    response_model=ExternalIncidents,
    responses=tabular(404),
)
async def list_external_record_incidents(
    request: Request,
    type: _Type,  # noqa: A002 # as the address names it
    id: _Id,  # noqa: A002 # likewise
    query: Annotated[ExternalIncidentsQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """List the incidents that are linked to a record, open ones first."""
    await desk.reached(query.min_position, QUEUE)
    ref = external_ref(type, id)
    found = await desk.blocking(_incidents, desk, ref, query, sight_of(caller))
    return shown(request, query, found)


def _list(desk: Desk, query: ExternalRecordsQuery) -> ExternalRecordList:
    with snapshot(desk.log) as cursor:
        if query.q is None:
            upto = known(cursor, None, query.min_position)
            found = listed(
                desk.log, cursor, upto, query.type, query.cursor, query.limit
            )
        else:
            schema, upto = known_to(cursor, WORDS, query.min_position)
            index = WordIndex(desk.log.vault, schema)
            found = _found(desk.log, cursor, index, query, upto)
    items = [ExternalRecordView.of(each, upto) for each in found.items]
    return ExternalRecordList(items=items, next_cursor=found.next_cursor, as_of=upto)


def _found(
    log: EventLog,
    cursor: Cursors,
    index: WordIndex,
    query: ExternalRecordsQuery,
    upto: AsOf,
) -> ExternalRecordPage:
    """Return the records that have all words; none without any word."""
    words = index.words(query.q or "")
    refs = words.others(cursor, "record", FOUND_MAX) if words else []
    of_type = [
        ref for ref in refs if query.type is None or ref.startswith(f"{query.type}/")
    ]
    found = several(log, cursor, of_type[: query.limit], upto)
    return ExternalRecordPage(list(found.values()), None)


def _view(desk: Desk, ref: str, query: ExternalRecordQuery) -> ExternalRecordView:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, query.at, query.min_position)
        seen = one(desk.log, cursor, ref, upto)
    if seen is None:
        raise _unknown(ref, " at that instant" if query.at else "")
    return ExternalRecordView.of(seen, upto)


def _incidents(
    desk: Desk, ref: str, query: ExternalIncidentsQuery, sight: Sight
) -> ExternalIncidents:
    with snapshot(desk.log) as cursor:
        schema, upto = known_to(cursor, QUEUE, query.min_position)
        seen = one(desk.log, cursor, ref, upto)
        if seen is None:
            raise _unknown(ref)
        rows = _rows(cursor, schema, seen, sight)
    begin = _place_after(rows, query.cursor)
    part = rows[begin : begin + query.limit]
    more = begin + len(part) < len(rows)
    return ExternalIncidents(
        items=[ExternalIncident.of(row) for row in part],
        next_cursor=part[-1].ref if part and more else None,
        as_of=upto,
    )


def _rows(
    cursor: Cursors, schema: str, seen: VersionedExternalRecord, sight: Sight
) -> list[QueueRow]:
    """Return the rows of its incidents that are in sight, in the order of the list."""
    refs = seen.record.incidents[-INCIDENTS_MAX:]
    found = load(cursor, schema, sorted(visible(cursor, schema, sight, refs)))
    newest = sorted(found.values(), key=lambda row: row.ref, reverse=True)
    return sorted(newest, key=lambda row: not in_stock(row))


def _place_after(rows: Sequence[QueueRow], cursor: str | None) -> int:
    """Return where the page after a reference begins; 0 if it is not listed now."""
    refs = [row.ref for row in rows]
    return refs.index(cursor) + 1 if cursor in refs else 0


def _unknown(ref: str, when: str = "") -> HttpError:
    return HttpError(404, f"there is no record {ref}{when}", code="unknown_record")
