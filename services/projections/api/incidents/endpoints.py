"""Endpoints for one incident: its state and its promises, replayed from its streams."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.callers import Reader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.history import history, known
from services.projections.api.incidents.views import IncidentView, NearChangeView
from services.projections.api.promises.views import PromiseView, views
from services.projections.api.query_params import (
    InstantQuery,
    Ref,
    no_incident,
    refusals,
)
from services.projections.generations import AsOf
from services.projections.history.history import (
    ClockState,
    History,
    NearChange,
    changes_near,
    standings,
    whole,
)
from services.projections.read_model import Cursors
from services.projections.snapshots import snapshot
from shared.domain.identifiers import IncidentRef

router = APIRouter(tags=["incidents"])


class Promises(Answer):
    """The promises about an incident, in the order in which they were made."""

    incident: IncidentRef
    items: list[PromiseView]
    olas: list[PromiseView]
    """What support levels owe the desk; not shown to users."""
    at: AwareDatetime
    """The instant for which the remaining time is computed."""
    as_of: AsOfAnswer


class _Seen(NamedTuple):
    """An incident at an instant, and the position of the log at that time."""

    whole: History
    promises: tuple[ClockState, ...]
    at: datetime
    known: AsOf
    near: Sequence[NearChange]


@router.get("/v1/incidents/{ref}", responses=refusals(404))
async def get_incident(
    ref: Ref,
    asked: Annotated[InstantQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
    response: Response,
) -> IncidentView:
    """Show an incident as it is, or as it was recorded at an instant.

    Includes its promises and their remaining time, who works on it, its contacts and
    the messages sent. `version` and `ETag` are those of the incident's own stream.
    """
    seen = await desk.blocking(_seen, desk, ref, asked)
    response.headers["ETag"] = f'"{seen.whole.version}"'
    view = IncidentView.of(seen.whole, seen.promises, seen.at, seen.known)
    near = tuple(NearChangeView(**asdict(change)) for change in seen.near)
    return view.model_copy(update={"changes_nearby": near})


@router.get("/v1/incidents/{ref}/sla", responses=refusals(404))
async def get_promises(
    ref: Ref,
    asked: Annotated[InstantQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
) -> Promises:
    """Show the promises about an incident and their remaining time."""
    seen = await desk.blocking(_seen, desk, ref, asked)
    return Promises(
        incident=ref,
        items=views(seen.promises, seen.whole.wording, operational=False),
        olas=views(seen.promises, seen.whole.wording, operational=True),
        at=seen.at,
        as_of=AsOfAnswer.model_validate(seen.known),
    )


def _seen(desk: Desk, ref: str, asked: InstantQuery) -> _Seen:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, asked.at, asked.min_position)
        found = whole(history(desk.log, cursor, ref, upto))
        if found is None:
            raise no_incident(ref)
        at = asked.at or desk.clock()
        near = _near(desk, cursor, found, at)
    standing = standings(found.clocks, desk.policies, at)
    return _Seen(found, standing, at, upto, near)


def _near(
    desk: Desk, cursor: Cursors, found: History, at: datetime
) -> Sequence[NearChange]:
    incident = found.incident
    until = incident.restored_at or incident.resolved_at or at
    span = (incident.opened_at, until)
    return changes_near(cursor, desk.log.vault, incident.service, span, at)
