"""Reads problems and changes, singly or page by page, and lists their incidents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, Literal, NamedTuple

from pydantic import AwareDatetime, Field

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.desk import Desk
from services.projections.api.incidents.history import known
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX
from services.projections.api.metrics.tables import TableQuery
from services.projections.api.query_params import InstantQuery, Name
from services.projections.generations import AsOf
from services.projections.read_model import Cursors
from services.projections.records import (
    PROBLEMS,
    Kind,
    Record,
    VersionedRecord,
    newest,
    one,
)
from services.projections.snapshots import snapshot
from shared.domain import incident as incidents
from shared.domain.change import Change
from shared.domain.events import IncidentEvent, is_incident_event
from shared.domain.events.incident_ties import Relation
from shared.domain.identifiers import IncidentRef, ProblemRef, incident_stream
from shared.domain.incident import Incident, Status
from shared.domain.policy.priorities import Priority
from shared.domain.problem import Problem
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError


class RecordsQuery(TableQuery):
    """Which part of a list; each kind of record says which references are cursors."""

    status: Literal["open", "all"] = "all"
    """`open`: only records that have not ended."""
    team: Name | None = None
    """Only records of this team."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: str | None = None
    """`next_cursor` of the previous page: the last reference on it."""


@dataclass(frozen=True, slots=True)
class Part(Generic[Record]):
    """A page of a list, and the position up to which it is known."""

    items: list[VersionedRecord[Record]]
    next_cursor: str | None
    upto: AsOf


def read_one(
    desk: Desk, kind: Kind[Record], ref: str, asked: InstantQuery
) -> tuple[VersionedRecord[Record], AsOf]:
    """Return a record now or at an instant; `HttpError` 404 if unknown. Blocks."""
    with snapshot(desk.log) as cursor:
        upto = known(cursor, asked.at, asked.min_position)
        found = one(desk.log, cursor, kind, ref, upto)
    if found is None:
        when = " at that instant" if asked.at else ""
        code = f"unknown_{kind.name}"
        raise HttpError(404, f"there is no {kind.name} {ref}{when}", code=code)
    return found, upto


def read_part(desk: Desk, kind: Kind[Record], asked: RecordsQuery) -> Part[Record]:
    """Return a page of records. Blocks."""
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, asked.min_position)
        found = newest(
            desk.log,
            cursor,
            kind,
            upto,
            before=asked.cursor,
            only_open=asked.status == "open",
            team=asked.team,
            limit=asked.limit + 1,
        )
    shown = found[: asked.limit]
    more = len(found) > len(shown)
    return Part(shown, shown[-1].record.ref if more else None, upto)


class IncidentsQuery(InstantQuery, TableQuery):
    """Which part of the list."""

    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: IncidentRef | None = None
    """`next_cursor` of the previous page: the last reference on it."""


class LinkedIncident(Answer):
    """An incident, and how it is linked to the record."""

    ref: IncidentRef
    relation: Relation
    via: ProblemRef | None
    """The problem that links the incident to a change."""
    to_be_confirmed: bool
    """Whether it was matched only by its service and is not confirmed."""
    title: str
    status: Status
    priority: Priority
    service: str
    client: str | None
    opened_at: AwareDatetime
    restored_at: AwareDatetime | None
    resolved_at: AwareDatetime | None


class LinkedIncidents(Answer):
    """Some incidents of a record, the oldest first."""

    items: list[LinkedIncident]
    next_cursor: str | None
    """Where the next page begins; null at the end."""
    as_of: AsOfAnswer


class _Tie(NamedTuple):
    relation: Relation
    via: str | None = None
    to_be_confirmed: bool = False


def read_incidents(
    desk: Desk, kind: Kind[Record], ref: str, asked: IncidentsQuery
) -> LinkedIncidents:
    """Return a page; `HttpError` 404 if the record is unknown. Blocks."""
    seen, upto = read_one(desk, kind, ref, asked)
    with snapshot(desk.log) as cursor:
        ties = _ties(desk.log, cursor, seen.record, upto)
        rest = sorted(ref for ref in ties if ref > (asked.cursor or ""))
        part = rest[: asked.limit]
        found = _incidents(desk.log, cursor, part, upto)
    return LinkedIncidents(
        items=[_item(found[ref], ties[ref]) for ref in part if ref in found],
        next_cursor=part[-1] if len(rest) > len(part) else None,
        as_of=AsOfAnswer.model_validate(upto),
    )


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


def _incidents(
    log: EventLog, cursor: Cursors, refs: Sequence[str], upto: AsOf
) -> Mapping[str, Incident]:
    histories: dict[str, list[IncidentEvent]] = {}
    streams = [incident_stream(ref) for ref in refs]
    for entry in log.histories(cursor, streams, upto.position) if streams else ():
        if is_incident_event(entry.event):
            histories.setdefault(entry.event.incident, []).append(entry.event)
    found = ((ref, incidents.replay(past)) for ref, past in histories.items())
    return {ref: incident for ref, incident in found if incident is not None}


def _item(incident: Incident, tie: _Tie) -> LinkedIncident:
    return LinkedIncident.model_validate({**incident.__dict__, **tie._asdict()})
