"""Changes of incidents and problems, read from the log; and their commands."""

from typing import Annotated, Self

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.callers import Reader
from services.projections.api.desk import DeskHere
from services.projections.api.metrics.tables import shown, tabular
from services.projections.api.query_params import InstantQuery, refusals
from services.projections.api.records.commands import add_commands
from services.projections.api.records.views import (
    IncidentsQuery,
    LinkedIncidents,
    RecordsQuery,
    read_incidents,
    read_one,
    read_part,
)
from services.projections.generations import AsOf
from services.projections.records import CHANGES, VersionedRecord
from shared.domain.change import Change, Status
from shared.domain.commands.change import BODIES, RequestChange
from shared.domain.identifiers import ChangeRef, IncidentRef, ProblemRef

router = APIRouter(tags=["changes"])


class ChangeView(Answer):
    """A change. Send `version` as `If-Match`; it is also the `ETag`."""

    ref: ChangeRef
    version: int
    status: Status
    title: str
    service: str
    team: str
    incident: IncidentRef | None
    """The first incident that led to it."""
    incidents: list[IncidentRef]
    """The incidents that led to it, in the order in which they were linked."""
    caused: list[IncidentRef]
    """Incidents that it caused."""
    related: list[IncidentRef]
    """Other related incidents."""
    problem: ProblemRef | None
    """The problem it is meant to solve."""
    requested_at: AwareDatetime
    planned_for: AwareDatetime | None
    implemented_at: AwareDatetime | None
    cancelled_at: AwareDatetime | None

    as_of: AsOfAnswer

    @classmethod
    def of(cls, seen: VersionedRecord[Change], upto: AsOf) -> Self:
        """Return the view of a change at a version, as known at `upto`."""
        change = seen.record
        known = {"version": seen.version, "as_of": upto, "incident": change.incident}
        return cls.model_validate({**change.__dict__, **known})


class Changes(Answer):
    """Some changes, the newest first."""

    items: list[ChangeView]
    next_cursor: str | None
    """Where the next page begins; null at the end."""
    as_of: AsOfAnswer


class ChangesQuery(RecordsQuery):
    """Which part of the list of changes."""

    cursor: ChangeRef | None = None
    """`next_cursor` of the previous page: the last reference on it."""


@router.get("/v1/changes", response_model=Changes, responses=tabular())
async def list_changes(
    request: Request,
    asked: Annotated[ChangesQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
) -> BaseModel | Response:
    """List changes, the newest first; open ones are requested or planned."""
    part = await desk.blocking(read_part, desk, CHANGES, asked)
    found = Changes(
        items=[ChangeView.of(seen, part.upto) for seen in part.items],
        next_cursor=part.next_cursor,
        as_of=AsOfAnswer.model_validate(part.upto),
    )
    return shown(request, asked, found)


@router.get("/v1/changes/{ref}", responses=refusals(404))
async def get_change(
    ref: Annotated[ChangeRef, Path(description="A change: `CHG-000001`.")],
    asked: Annotated[InstantQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
    response: Response,
) -> ChangeView:
    """Show a change as it is, or as it was recorded at an instant."""
    seen, upto = await desk.blocking(read_one, desk, CHANGES, ref, asked)
    response.headers["ETag"] = f'"{seen.version}"'
    return ChangeView.of(seen, upto)


@router.get(
    "/v1/changes/{ref}/incidents",
    response_model=LinkedIncidents,
    responses=tabular(404),
)
async def list_change_incidents(
    request: Request,
    ref: Annotated[ChangeRef, Path(description="A change: `CHG-000001`.")],
    asked: Annotated[IncidentsQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
) -> BaseModel | Response:
    """List the incidents of a change and of its problem, the oldest first."""
    found = await desk.blocking(read_incidents, desk, CHANGES, ref, asked)
    return shown(request, asked, found)


add_commands(router, "change", BODIES, RequestChange.verb, r"^CHG-[0-9]{6,12}$")
