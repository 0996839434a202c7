"""Endpoints for one incident: its state and its promises, replayed from its streams."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import ClientReader, person_of, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.linked import with_titles
from services.projections.api.incidents.people import accepted_by, people_of
from services.projections.api.incidents.views import IncidentView, NearChangeView
from services.projections.api.position import history, known, no_incident
from services.projections.api.promises.views import PromiseView, views
from services.projections.api.query_params import InstantQuery, Ref
from services.projections.api.redaction import redacted
from services.projections.api.unreadable import UnreadableView, unreadable_views
from services.projections.generations import AsOf
from services.projections.history.history import (
    ClockState,
    History,
    NearChange,
    changes_near,
    standings,
    whole,
)
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from shared.database.cursors import Cursors
from shared.domain.identifiers import IncidentRef
from shared.domain.incident.possible import Situation, possible, why_refused
from shared.domain.incident.relations import may_say, otherwise
from shared.domain.limits import Place
from shared.eventlog.entry import Entry
from shared.security.access import Caller
from shared.security.sender import COMMANDERS

router = APIRouter(tags=["incidents"])


class Promises(Answer):
    """The promises about an incident, in the order in which they were made."""

    incident: IncidentRef
    items: list[PromiseView]
    olas: list[PromiseView]
    """What support levels owe the desk; not shown to users."""
    unreadable: list[UnreadableView]
    """Events about the incident that could not be used."""
    at: AwareDatetime
    """The instant for which the remaining time is computed."""
    as_of: AsOf


class _Seen(NamedTuple):
    """An incident at an instant, and the position of the log at that time."""

    past: Sequence[Entry]
    whole: History
    promises: tuple[ClockState, ...]
    at: datetime
    known: AsOf
    near: Sequence[NearChange]


@router.get("/v1/incidents/{ref}", responses=refusals(404))
async def get_incident(
    ref: Ref,
    query: Annotated[InstantQuery, Query()],
    desk: DeskHere,
    caller: ClientReader,
    response: Response,
) -> IncidentView:
    """Show an incident as it is, or as it was recorded at an instant.

    Includes its promises and their remaining time, who works on it, its contacts and
    the messages sent. `version` and `ETag` are those of the incident's own stream.
    """
    view = await desk.blocking(_view, desk, ref, query, caller)
    response.headers["ETag"] = f'"{view.version}"'
    return view


@router.get("/v1/incidents/{ref}/sla", responses=refusals(404))
async def get_promises(
    ref: Ref,
    query: Annotated[InstantQuery, Query()],
    desk: DeskHere,
    caller: ClientReader,
) -> Promises:
    """Show the promises about an incident and their remaining time."""
    sight = sight_of(caller)
    seen = await desk.blocking(_seen, desk, ref, query, sight)
    return Promises(
        incident=ref,
        items=views(seen.promises, seen.whole.wording, operational=False),
        olas=views(seen.promises, seen.whole.wording, operational=True)
        if sight.internal
        else [],
        unreadable=unreadable_views(seen.whole.unreadable, sight),
        at=seen.at,
        as_of=seen.known,
    )


def _actions(desk: Desk, seen: _Seen, caller: Caller) -> Mapping[str, object]:
    """Return which commands are possible and refused, to a caller who may give any."""
    of, row = seen.whole, seen.whole.row
    place = Place(row.client, row.service, row.team)
    if set(COMMANDERS).isdisjoint(caller.scopes_at(place)):
        return {}
    person, people = person_of(caller), people_of(desk, seen.past, row)
    now = Situation(
        of.incident,
        row.level,
        accepted_by(seen.past, row, person),
        of.clocks,
        partial(may_say, person=person, people=people),
        partial(otherwise, people=people),
    )
    return {
        "actions": tuple(possible(now, person)),
        "refused": why_refused(now, person),
    }


def _view(desk: Desk, ref: str, query: InstantQuery, caller: Caller) -> IncidentView:
    sight = sight_of(caller)
    seen = _seen(desk, ref, query, sight)
    view = IncidentView.of(seen.whole, seen.promises, seen.at, seen.known)
    near = tuple(NearChangeView(**asdict(change)) for change in seen.near)
    actions = _actions(desk, seen, caller) if query.at is None else {}
    view = view.model_copy(update={"changes_nearby": near, **actions})
    if not sight.internal:
        view = view.for_client()
    if sight.within is None and not view.links:
        return view
    with snapshot(desk.log) as cursor:
        links = with_titles(desk.log, cursor, seen.known, view.links)
        view = view.model_copy(update={"links": links})
        return redacted(desk.log, cursor, sight, view, ref)


def _seen(desk: Desk, ref: str, query: InstantQuery, sight: Sight) -> _Seen:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, query.at, query.min_position)
        past = history(desk.log, cursor, ref, upto, sight)
        found = whole(past)
        if found is None:
            raise no_incident(ref)
        at = query.at or desk.clock()
        near = _near(desk, cursor, found, at)
    standing = standings(found.clocks, desk.policies, at)
    return _Seen(past.entries, found, standing, at, upto, near)


def _near(
    desk: Desk, cursor: Cursors, found: History, at: datetime
) -> Sequence[NearChange]:
    incident = found.incident
    until = incident.restored_at or incident.resolved_at or at
    span = (incident.opened_at, until)
    return changes_near(cursor, desk.log.vault, incident.service, span, at)
