"""One incident: its state, replayed from its own events."""

from datetime import datetime
from typing import Annotated, cast

from fastapi import APIRouter, Query, Response

from services.projections.api.asked import AskedAt, Ref, no_incident, refusals
from services.projections.api.callers import Reader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incident_view import IncidentView
from services.projections.api.past import history, known
from services.projections.snapshots import snapshot
from shared.events import IncidentEvent
from shared.incident import replay

router = APIRouter(tags=["incidents"])


@router.get("/v1/incidents/{ref}", responses=refusals(404))
async def get_incident(
    ref: Ref,
    asked: Annotated[AskedAt, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
    response: Response,
) -> IncidentView:
    """Show an incident as it is, or as it was recorded at an instant."""
    view = await desk.blocking(_view, desk, ref, asked.at, asked.min_position)
    response.headers["ETag"] = f'"{view.version}"'
    return view


def _view(desk: Desk, ref: str, at: datetime | None, min_position: int) -> IncidentView:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, at, min_position)
        past = history(desk.log, cursor, ref, upto)
    incident = replay(cast("IncidentEvent", entry.event) for entry in past)
    if incident is None:
        raise no_incident(ref)
    return IncidentView.of(incident, past[-1].version, upto)
