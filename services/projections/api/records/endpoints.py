"""Problems and changes: listed, shown, and the incidents of one.

Both are read from the log in the same way; only a problem has data of other streams
beside it. Their commands are in the table of commands.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from services.projections.api.answers import refusals, shown, tabular
from services.projections.api.callers import SomeReader, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import PAGE_MAX
from services.projections.api.position import known
from services.projections.api.query_params import InstantQuery
from services.projections.api.records.views import (
    ChangeList,
    ChangesQuery,
    ChangeView,
    IncidentsQuery,
    LinkedIncident,
    LinkedIncidents,
    ProblemList,
    ProblemsQuery,
    ProblemView,
    RecordsQuery,
)
from services.projections.api.redaction import redacted, seen_of
from services.projections.generations import AsOf
from services.projections.handovers import services_by_problem
from services.projections.records import (
    CHANGES,
    PROBLEMS,
    Kind,
    Record,
    RecordPage,
    RecordQuery,
    VersionedRecord,
    newest,
    one,
)
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from services.projections.solutions import of_incidents
from shared.database.cursors import Cursors
from shared.domain.change import Change
from shared.domain.events import is_incident_event
from shared.domain.events.incident_ties import Relation
from shared.domain.identifiers import ChangeRef, ProblemRef, incident_stream
from shared.domain.incident import replay
from shared.domain.limits import Place
from shared.domain.problem import Problem
from shared.eventlog.entry import Entry
from shared.eventlog.histories import readable
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError

router = APIRouter()

NOTES_MAX = 20
NOTES_READ_MAX = 500
"""The maximum number of notes that an answer reads for all its problems."""

_Problem = Annotated[ProblemRef, Path(description="A problem: `PRB-000001`.")]
_Change = Annotated[ChangeRef, Path(description="A change: `CHG-000001`.")]


@router.get(
    "/v1/problems", tags=["problems"], response_model=ProblemList, responses=tabular()
)
async def list_problems(
    request: Request,
    query: Annotated[ProblemsQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """List problems, the newest first."""
    return shown(
        request, query, await desk.blocking(_problems, desk, query, sight_of(caller))
    )


@router.get("/v1/problems/{ref}", tags=["problems"], responses=refusals(404))
async def get_problem(
    ref: _Problem,
    query: Annotated[InstantQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
    response: Response,
) -> ProblemView:
    """Show a problem as it is, or as it was recorded at an instant."""
    view = await desk.blocking(_problem, desk, ref, query, sight_of(caller))
    response.headers["ETag"] = f'"{view.version}"'
    return view


@router.get(
    "/v1/problems/{ref}/incidents",
    tags=["problems"],
    response_model=LinkedIncidents,
    responses=tabular(404),
)
async def list_problem_incidents(
    request: Request,
    ref: _Problem,
    query: Annotated[IncidentsQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """List the incidents of a problem, the oldest first."""
    found = await desk.blocking(
        _incidents, desk, PROBLEMS, ref, query, sight_of(caller)
    )
    return shown(request, query, found)


@router.get(
    "/v1/changes", tags=["changes"], response_model=ChangeList, responses=tabular()
)
async def list_changes(
    request: Request,
    query: Annotated[ChangesQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """List changes, the newest first; open ones are requested or planned."""
    return shown(
        request, query, await desk.blocking(_changes, desk, query, sight_of(caller))
    )


@router.get("/v1/changes/{ref}", tags=["changes"], responses=refusals(404))
async def get_change(
    ref: _Change,
    query: Annotated[InstantQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
    response: Response,
) -> ChangeView:
    """Show a change as it is, or as it was recorded at an instant."""
    view = await desk.blocking(_change, desk, ref, query, sight_of(caller))
    response.headers["ETag"] = f'"{view.version}"'
    return view


@router.get(
    "/v1/changes/{ref}/incidents",
    tags=["changes"],
    response_model=LinkedIncidents,
    responses=tabular(404),
)
async def list_change_incidents(
    request: Request,
    ref: _Change,
    query: Annotated[IncidentsQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """List the incidents of a change and of its problem, the oldest first."""
    found = await desk.blocking(_incidents, desk, CHANGES, ref, query, sight_of(caller))
    return shown(request, query, found)


def _problems(desk: Desk, query: ProblemsQuery, sight: Sight) -> ProblemList:
    with snapshot(desk.log) as cursor:
        part, upto = _page(desk.log, cursor, PROBLEMS, query, sight)
        items = _problem_views(desk.log, cursor, part.items, upto)
        found = ProblemList(items=items, next_cursor=part.next_cursor, as_of=upto)
        return redacted(desk.log, cursor, sight, found)


def _problem(desk: Desk, ref: str, query: InstantQuery, sight: Sight) -> ProblemView:
    with snapshot(desk.log) as cursor:
        seen, upto = _one(desk.log, cursor, PROBLEMS, ref, query, sight)
        (view,) = _problem_views(desk.log, cursor, [seen], upto)
        return redacted(desk.log, cursor, sight, view, ref)


def _problem_views(
    log: EventLog,
    cursor: Cursors,
    problems: Sequence[VersionedRecord[Problem]],
    upto: AsOf,
) -> list[ProblemView]:
    """Return the views of problems, with their services and solution notes."""
    services = services_by_problem(log, cursor, upto)
    of_all = {ref for seen in problems for ref in seen.record.incidents}
    notes = of_incidents(log, cursor, upto, of_all, NOTES_READ_MAX)
    return [
        ProblemView.of(
            seen,
            upto,
            services.get(seen.record.ref, ()),
            [each for each in notes if each.incident in seen.record.incidents][
                :NOTES_MAX
            ],
        )
        for seen in problems
    ]


def _changes(desk: Desk, query: ChangesQuery, sight: Sight) -> ChangeList:
    with snapshot(desk.log) as cursor:
        part, upto = _page(desk.log, cursor, CHANGES, query, sight)
        items = [ChangeView.of(seen, upto) for seen in part.items]
        found = ChangeList(items=items, next_cursor=part.next_cursor, as_of=upto)
        return redacted(desk.log, cursor, sight, found)


def _change(desk: Desk, ref: str, query: InstantQuery, sight: Sight) -> ChangeView:
    with snapshot(desk.log) as cursor:
        view = ChangeView.of(*_one(desk.log, cursor, CHANGES, ref, query, sight))
        return redacted(desk.log, cursor, sight, view, ref)


def _page(
    log: EventLog,
    cursor: Cursors,
    kind: Kind[Record],
    query: RecordsQuery,
    sight: Sight,
) -> tuple[RecordPage[Record], AsOf]:
    """Return a page of records, and the position up to which it is known."""
    upto = known(cursor, None, query.min_position)
    only_open = query.status == "open"
    part = RecordQuery(query.cursor, only_open, query.team, query.limit)
    page = newest(log, cursor, kind, upto, part)
    if sight.within is None:
        return page, upto
    seen = [each for each in page.items if _is_seen(sight, each.record)]
    while page.next_cursor is not None and len(seen) <= query.limit:
        part = RecordQuery(page.next_cursor, only_open, query.team, PAGE_MAX)
        page = newest(log, cursor, kind, upto, part)
        seen += [each for each in page.items if _is_seen(sight, each.record)]
    items = seen[: query.limit]
    more = len(seen) > len(items)
    return RecordPage(items, items[-1].record.ref if more else None), upto


def _is_seen(sight: Sight, record: Problem | Change) -> bool:
    return sight.sees(Place(None, record.service, record.team))


def _one(  # what it reads, and for whom
    log: EventLog,
    cursor: Cursors,
    kind: Kind[Record],
    ref: str,
    query: InstantQuery,
    sight: Sight,
) -> tuple[VersionedRecord[Record], AsOf]:
    """Return a record now or at an instant; `HttpError` 404 if it is unknown."""
    upto = known(cursor, query.at, query.min_position)
    seen = one(log, cursor, kind, ref, upto)
    is_out = sight.within is not None and not seen_of(log, cursor, sight, [ref])
    if seen is None or is_out:
        when = " at that instant" if query.at else ""
        code = f"unknown_{kind.name}"
        raise HttpError(404, f"there is no {kind.name} {ref}{when}", code=code)
    return seen, upto


class _Tie(NamedTuple):
    relation: Relation
    via: str | None = None
    to_be_confirmed: bool = False


def _incidents(
    desk: Desk, kind: Kind[Record], ref: str, query: IncidentsQuery, sight: Sight
) -> LinkedIncidents:
    with snapshot(desk.log) as cursor:
        seen, upto = _one(desk.log, cursor, kind, ref, query, sight)
        ties = _ties(desk.log, cursor, seen.record, upto)
        visible = seen_of(desk.log, cursor, sight, ties)
        rest = sorted(ref for ref in visible if ref > (query.cursor or ""))
        part = rest[: query.limit]
        streams = [incident_stream(ref) for ref in part]
        past = readable(desk.log, cursor, streams, upto.position)
        items = [
            _item(past[stream], ties[ref])
            for ref, stream in zip(part, streams, strict=True)
            if stream in past
        ]
        found = LinkedIncidents(
            items=[item for item in items if item is not None],
            next_cursor=part[-1] if len(rest) > len(part) else None,
            as_of=upto,
        )
        return redacted(desk.log, cursor, sight, found, *part)


def _ties(
    log: EventLog, cursor: Cursors, record: Problem | Change, upto: AsOf
) -> Mapping[str, _Tie]:
    """Return the links of incidents to a record; direct ones take precedence."""
    own = {ref: _Tie(relation) for relation, ref in sorted(record.links)}
    if isinstance(record, Problem):
        unsure = _Tie("problem", to_be_confirmed=True)
        return dict.fromkeys(record.presumed, unsure) | own
    problem = record.problem
    if problem is None:
        return own
    cause = one(log, cursor, PROBLEMS, problem, upto)
    led = cause.record.incidents if cause else ()
    return {**{ref: _Tie("problem", problem) for ref in led}, **own}


def _item(past: Sequence[Entry], tie: _Tie) -> LinkedIncident | None:
    incident = replay(each.event for each in past if is_incident_event(each.event))
    if incident is None:
        return None
    return LinkedIncident.model_validate({**incident.__dict__, **tie._asdict()})
