"""The incidents of a problem or a change, as whoever it is given to needs them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

from pydantic import AwareDatetime, Field

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.asked import AskedAt
from services.projections.api.desk import Desk
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX
from services.projections.api.record_pages import read_one
from services.projections.generations import AsOf
from services.projections.read_model import Cursors
from services.projections.records import PROBLEMS, Kind, Record, one
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


class IncidentsAsked(AskedAt):
    """Which part of the list."""

    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: IncidentRef | None = None
    """`next_cursor` of the page before: the last reference on it."""


class LinkedIncident(Answer):
    """An incident, and what it has to do with the record."""

    ref: IncidentRef
    relation: Relation
    via: ProblemRef | None
    """The problem of a change by which the incident belongs to it."""
    to_be_confirmed: bool
    """It joined the problem by its service alone: nobody has confirmed that."""
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
    """Where the next page begins; none at the end."""
    as_of: AsOfAnswer


class _Tie(NamedTuple):
    relation: Relation
    via: str | None = None
    to_be_confirmed: bool = False


def read_incidents(
    desk: Desk, kind: Kind[Record], ref: str, asked: IncidentsAsked
) -> LinkedIncidents:
    """Return a page; `Problem` 404 where there is no such record. Blocks."""
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
    """Return what each incident has to do with a record: its own link comes first."""
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
